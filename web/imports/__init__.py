"""What the pages of imports say: an upload beside the register, whatever its kind, and what an import did."""
