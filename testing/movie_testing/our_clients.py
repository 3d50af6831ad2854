"""Us, as clients of the tests' provider: as Google has us, as Apple does, and as a further one."""

from typing import Any, Final

from joserfc.jwk import ECKey

from movie_testing.running_provider import RunningProvider

OURS: Final = "http://127.0.0.1:5000"
"""Where the program is, unless a test has it elsewhere."""
APP_ADDRESS: Final = "https://app.example.com/signed-in"
"""Where clients of their own have codes sent to."""
GOOGLE_WEB: Final = "web.googleusercontent.example"
GOOGLE_APP: Final = "ios.googleusercontent.example"
APPLE_WEB: Final = "com.example.web"
APPLE_APP: Final = "com.example.app"
EXAMPLE: Final = "movies"

_GOOGLE_SECRET: Final = "google's own secret"  # noqa: S105 - of a throw-away provider
# With all that must be escaped on its way.
_EXAMPLE_SECRET: Final = "s+c%r/t &=:ü"  # noqa: S105 - likewise
_TEAM: Final = "TEAM123456"
_KEY_ID: Final = "KEY1234567"
_APPLE_KEY: Final = ECKey.generate_key("P-256", private=True)


def add_our_clients(provider: RunningProvider, ours: str = OURS) -> None:
    """The provider knows us."""
    key = _APPLE_KEY.as_pem(private=False).decode()
    apple = {"team": {"id": _TEAM, "key_id": _KEY_ID, "public_key": key}, "gives_refresh_tokens": True}
    provider.add_client(GOOGLE_WEB, f"{ours}/auth/google/callback", APP_ADDRESS, secret=_GOOGLE_SECRET)
    provider.add_client(GOOGLE_APP, APP_ADDRESS)
    provider.add_client(APPLE_WEB, f"{ours}/auth/apple/callback", APP_ADDRESS, **apple)
    provider.add_client(APPLE_APP, APP_ADDRESS, **apple)
    provider.add_client(EXAMPLE, f"{ours}/auth/oidc/example/callback", APP_ADDRESS, secret=_EXAMPLE_SECRET)


def settings_of(provider: RunningProvider) -> dict[str, Any]:
    """The settings by which we know the provider."""
    return {
        "google_issuer": provider.issuer,
        "google_client_ids": (GOOGLE_WEB, GOOGLE_APP),
        "google_client_secret": _GOOGLE_SECRET,
        "apple_issuer": provider.issuer,
        "apple_client_ids": (APPLE_WEB, APPLE_APP),
        "apple_team_id": _TEAM,
        "apple_key_id": _KEY_ID,
        "apple_private_key": _APPLE_KEY.as_pem(private=True).decode(),
        "oidc": {
            "example": {
                "issuer": provider.issuer,
                "client_id": EXAMPLE,
                "client_secret": _EXAMPLE_SECRET,
            }
        },
        "oauth_redirect_uris": (APP_ADDRESS,),
    }


def variables_of(provider: RunningProvider) -> dict[str, str]:
    """The same, as a process of its own is given them."""
    settings = settings_of(provider)
    example = settings.pop("oidc")["example"]
    return {
        **{name: ",".join(value) if isinstance(value, tuple) else value for name, value in settings.items()},
        **{f"oidc_example_{name}": value for name, value in example.items()},
    }
