"""What a provider tells of a person beside its token.

Source: OpenID Connect Core 1.0, sections 5.3 and 5.4.
"""

from typing import Final

from movie_api.accounts import discovery, fetching
from movie_api.accounts.oidc import Claims, refused
from movie_api.accounts.providers import Provider

_OF_PERSON: Final = ("email", "email_verified", "name")


def with_more(provider: Provider, claims: Claims, access_token: str | None) -> Claims:
    """The claims, and what else the provider tells of the person, if the token has no address.

    Not every provider puts an address or a name into a token that comes with an access token.

    Raises:
        Problem: It is away, or tells of another person.
    """
    found = discovery.of(provider.issuer)
    if "email" in claims or access_token is None or not found.has("userinfo_endpoint"):
        return claims
    told = fetching.get_json(provider.issuer, found.address("userinfo_endpoint"), token=access_token)
    if told.get("sub") != claims["sub"]:
        raise refused("The provider tells of another person than its token does.")
    return merged(claims, told)


def merged(claims: Claims, more: Claims) -> Claims:
    """The claims, and of the person what others have that these lack.

    An address comes with what is said of it there, or not at all: nobody vouches for one by another's word.
    """
    if "email" in claims:
        return {"name": more.get("name")} | claims
    kept = {name: value for name, value in claims.items() if name != "email_verified"}
    return {name: more.get(name) for name in _OF_PERSON} | kept
