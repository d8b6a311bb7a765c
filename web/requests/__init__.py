"""What the pages of requests show: lists, the change that is asked for, steps, history."""
