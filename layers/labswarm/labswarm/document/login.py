"""Logins by name: the authenticator class of each kind, and its options.

Each kind is one model. Its keys are the options of its authenticator in camel case, so that one
page describes each kind. A secret is never in the document: `...Secret` names a secret of Secrets
Manager, which the hub's host reads.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from labswarm.document.strict import Strict

# Without encryption only where a test or a lab has its provider: on this machine or its bridge.
URL = r"^https://\S+$|^http://(localhost|127\.|10\.)\S*$"
Url = Annotated[str, Field(pattern=URL)]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@:-]{1,512}$")]
"""The name or ARN of a secret in Secrets Manager."""
Domain = Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$")]


class Login(Strict):
    """A kind of login. `traits` are the options of its authenticator `CLASS`, without secrets."""

    CLASS: ClassVar[str]
    """As JupyterHub's entry points name it, or the path of a class."""
    SECRETS: ClassVar[Mapping[str, str]] = {}
    """The authenticator's option for each field that names a secret."""

    def traits(self) -> dict[str, Any]:
        """Return the options of the authenticator."""
        return {}

    def secrets(self) -> dict[str, str]:
        """Return the names of the secrets, by the options of the authenticator that they fill."""
        return {trait: getattr(self, field) for field, trait in self.SECRETS.items()}


class _OAuth(Login):
    """A login at an OAuth 2 or OpenID Connect provider, by oauthenticator.

    https://oauthenticator.readthedocs.io/en/stable/reference/api/index.html
    """

    SECRETS: ClassVar[Mapping[str, str]] = {"client_secret": "client_secret"}

    client_id: str = Field(min_length=1, description="The client's id at the provider.")
    client_secret: SecretName = Field(description="The secret with the client's secret.")
    callback_url: Url | None = Field(
        None,
        description="Where the provider sends the browser back: `https://HUB/hub/oauth_callback`.",
    )
    scope: list[str] | None = Field(None, description="The scopes that the hub asks for.")
    username_claim: str | None = Field(None, description="The claim with the user's name.")
    groups_claim: str | None = Field(
        None, description="The claim with the user's groups, which become the hub's groups."
    )
    allowed_groups: list[str] | None = Field(None, description="Groups whose members may log in.")
    admin_groups: list[str] | None = Field(None, description="Groups whose members are admins.")

    def traits(self) -> dict[str, Any]:
        given = {
            "client_id": self.client_id,
            "oauth_callback_url": self.callback_url,
            "scope": self.scope,
            "username_claim": self.username_claim,
            "allowed_groups": self.allowed_groups,
            "admin_groups": self.admin_groups,
        }
        traits: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
        if self.groups_claim is not None:
            # `auth_state_groups_key` reads the user's claims from the state, which is in memory.
            traits |= {
                "manage_groups": True,
                "auth_state_groups_key": f"{self._user_info}.{self.groups_claim}",
            }
        return traits

    @property
    def _user_info(self) -> str:
        """The key of the user's claims in the authentication state."""
        return "oauth_user"


class GitHub(_OAuth):
    """GitHub accounts."""

    CLASS = "oauthenticator.github.GitHubOAuthenticator"

    kind: Literal["github"]
    allowed_organizations: list[str] | None = Field(
        None, description="Organizations whose members may log in, or `organization:team`."
    )

    def traits(self) -> dict[str, Any]:
        if self.allowed_organizations is None:
            return super().traits()
        scope = {"scope": self.scope or ["read:org"]}
        return super().traits() | scope | {"allowed_organizations": self.allowed_organizations}


class Google(_OAuth):
    """Google accounts."""

    CLASS = "oauthenticator.google.GoogleOAuthenticator"

    kind: Literal["google"]
    hosted_domain: list[Domain] | None = Field(
        None, description="Domains of Google Workspace whose accounts may log in."
    )

    def traits(self) -> dict[str, Any]:
        traits = super().traits()
        if self.hosted_domain is not None:
            traits["hosted_domain"] = self.hosted_domain
        return traits

    @property
    def _user_info(self) -> str:
        return "google_user"


class Entra(_OAuth):
    """Microsoft Entra ID accounts."""

    CLASS = "oauthenticator.azuread.AzureAdOAuthenticator"

    kind: Literal["entra"]
    tenant_id: str = Field(min_length=1, description="The directory (tenant) id.")

    def traits(self) -> dict[str, Any]:
        return super().traits() | {"tenant_id": self.tenant_id}

    @property
    def _user_info(self) -> str:
        return "user"


class Oidc(_OAuth):
    """Any OpenID Connect provider: Keycloak, Shibboleth, Okta, Auth0."""

    CLASS = "oauthenticator.generic.GenericOAuthenticator"

    kind: Literal["oidc"]
    authorize_url: Url = Field(description="The provider's authorization endpoint.")
    token_url: Url = Field(description="The provider's token endpoint.")
    userdata_url: Url = Field(description="The provider's userinfo endpoint.")
    login_service: str = Field("your account", description="The name on the login button.")

    def traits(self) -> dict[str, Any]:
        return {
            "scope": ["openid"],
            "username_claim": "preferred_username",
            "authorize_url": self.authorize_url,
            "token_url": self.token_url,
            "userdata_url": self.userdata_url,
            "login_service": self.login_service,
        } | super().traits()


class CILogon(_OAuth):
    """Accounts of universities through CILogon."""

    CLASS = "oauthenticator.cilogon.CILogonOAuthenticator"

    kind: Literal["cilogon"]
    allowed_idps: dict[Url, dict[str, Any]] = Field(
        min_length=1,
        description="The identity providers, each with its `username_derivation`.",
    )

    def traits(self) -> dict[str, Any]:
        return super().traits() | {"allowed_idps": self.allowed_idps}

    @property
    def _user_info(self) -> str:
        return "cilogon_user"


class Lti13(Login):
    """A link in a course of Canvas, Moodle, Blackboard or Open edX (LTI 1.3).

    https://ltiauthenticator.readthedocs.io/en/latest/lti13/reference.html
    """

    CLASS = "ltiauthenticator.lti13.auth.LTI13Authenticator"

    kind: Literal["lti13"]
    client_id: list[str] = Field(min_length=1, description="The hub's client ids at the platform.")
    issuer: Url = Field(description="The platform's issuer.")
    authorize_url: Url = Field(description="The platform's authorization endpoint.")
    jwks_endpoint: Url = Field(description="The platform's public keys.")
    username_key: str = Field("email", description="The claim with the user's name.")

    def traits(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "issuer": self.issuer,
            "authorize_url": self.authorize_url,
            "jwks_endpoint": self.jwks_endpoint,
            "username_key": self.username_key,
            # The platform sends only the people of its course.
            "allow_all": True,
        }


class Ldap(Login):
    """A directory by LDAP, always encrypted.

    https://github.com/jupyterhub/ldapauthenticator
    """

    CLASS = "ldapauthenticator.LDAPAuthenticator"
    SECRETS: ClassVar[Mapping[str, str]] = {"lookup_password": "lookup_dn_search_password"}

    kind: Literal["ldap"]
    server_address: str = Field(min_length=1, description="The directory's host.")
    server_port: int | None = Field(None, ge=1, le=65_535, description="Its port.")
    tls: Literal["on_connect", "before_bind"] = Field(
        "on_connect", description="Encrypt from the start (LDAPS), or with StartTLS."
    )
    bind_dn_template: list[str] | None = Field(
        None,
        description="Names to bind with, such as `uid={username},ou=people,dc=example,dc=edu`.",
    )
    user_search_base: str | None = Field(None, description="Where users are looked up.")
    user_attribute: str | None = Field(None, description="The attribute with the user's name.")
    lookup_user: str | None = Field(None, description="The name that looks users up.")
    lookup_password: SecretName | None = Field(
        None, description="The secret with the password of `lookupUser`."
    )
    allowed_groups: list[str] | None = Field(None, description="Groups (DN) that may log in.")

    def traits(self) -> dict[str, Any]:
        given = {
            "server_port": self.server_port,
            "bind_dn_template": self.bind_dn_template,
            "user_search_base": self.user_search_base,
            "user_attribute": self.user_attribute,
            "lookup_dn_search_user": self.lookup_user,
            "allowed_groups": self.allowed_groups,
        }
        traits = {name: value for name, value in given.items() if value is not None}
        looked_up = {"lookup_dn": True} if self.lookup_user else {}
        return {
            "server_address": self.server_address,
            "tls_strategy": self.tls,
            **traits,
            **looked_up,
        }

    def secrets(self) -> dict[str, str]:
        return {trait: name for trait, name in super().secrets().items() if name is not None}


class Native(Login):
    """Accounts that the hub keeps: students sign up, an admin lets them in.

    https://native-authenticator.readthedocs.io/en/latest/options.html
    """

    CLASS = "labswarm_hub.native_login.NativeAuthenticator"

    kind: Literal["native"]
    open_signup: bool = Field(False, description="Let everybody in who signs up.")
    minimum_password_length: int = Field(10, ge=6, le=100, description="Characters of a password.")
    ask_email: bool = Field(False, description="Ask for an address at the sign-up.")

    def traits(self) -> dict[str, Any]:
        return {
            "open_signup": self.open_signup,
            "minimum_password_length": self.minimum_password_length,
            "check_common_password": True,
            # Its own table has the users that an admin has let in.
            "allow_all": True,
            "ask_email_on_signup": self.ask_email,
        }


class FirstUse(Login):
    """A student's first password is kept; for a workshop of a day.

    https://github.com/jupyterhub/firstuseauthenticator
    """

    CLASS = "firstuseauthenticator.FirstUseAuthenticator"

    kind: Literal["firstuse"]
    create_users: bool = Field(False, description="Let in names that no admin has added.")
    minimum_password_length: int = Field(10, ge=6, le=100, description="Characters of a password.")

    def traits(self) -> dict[str, Any]:
        return {
            "create_users": self.create_users,
            "allow_all": self.create_users,
            "min_password_length": self.minimum_password_length,
        }


KINDS: tuple[type[Login], ...] = (
    GitHub, Google, Entra, Oidc, CILogon, Lti13, Ldap, Native, FirstUse,
)  # fmt: skip
AnyLogin = Annotated[
    GitHub | Google | Entra | Oidc | CILogon | Lti13 | Ldap | Native | FirstUse,
    Field(discriminator="kind"),
]
