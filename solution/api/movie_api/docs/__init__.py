"""The documentation: the contract, its page, and a page for each problem."""
