"""What the suites share: the server under test, counterparts, and the totals."""
