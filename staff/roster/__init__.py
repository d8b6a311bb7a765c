"""Rosters of people: from a file to cleaned rows. What the rows mean is `staff.policy`, writing is `staff.services`."""
