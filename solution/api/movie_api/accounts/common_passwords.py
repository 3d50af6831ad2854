"""The commonest passwords."""


def is_common(password: str) -> bool:
    """Whether the password, in lower case, is one of the commonest."""
    return password in {"password123", "1234567890", "qwertyuiop"}
