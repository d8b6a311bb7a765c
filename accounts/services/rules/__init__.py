"""What is wrong now, rule by rule: each rule finds, one sweep opens, restates and closes."""
