"""A vendor's machine that speaks OAuth by authlib: a secret, keys, introspection and revocation, and rows by the tokens."""

import json
import sys
import time

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

base, records, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
signer = given["signers"]["ES256"]


def metadata(session):
    answer = session.get(base + "/.well-known/oauth-authorization-server", withhold_token=True)
    answer.raise_for_status()
    return answer.json()


def by_secret(method):
    return OAuth2Session(
        given["id"], given["secret"], token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )


class Prover(PrivateKeyJWT):
    """authlib signs for an hour and keeps a jti between calls; both are said anew for each assertion here."""

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60, "jti": generate_token(36)}
        return super().sign(auth, token_endpoint)


def by_key():
    key = ECKey.import_key(signer["key"])
    method = "private_key_jwt"
    session = OAuth2Session(
        signer["id"], key, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )
    session.register_client_auth_method(Prover(base, alg="ES256"))
    return session


def whole_way(name, session):
    offered = metadata(session)
    assert session.token_endpoint_auth_method in offered["token_endpoint_auth_methods_supported"], offered
    token = session.fetch_token(offered["token_endpoint"], grant_type="client_credentials")
    assert token["token_type"] == "Bearer" and token["expires_in"] > 0, token
    pulled = session.get(base + records)
    assert pulled.status_code == 200 and len(pulled.json()["rows"]) == 3, pulled.text
    text = token["access_token"]
    told = session.introspect_token(offered["introspection_endpoint"], token=text, token_type_hint="access_token").json()
    assert told["active"] and told["scope"] == token["scope"], told
    revoked = session.revoke_token(offered["revocation_endpoint"], token=text, token_type_hint="access_token")
    assert revoked.status_code == 200, revoked.text
    told = session.introspect_token(offered["introspection_endpoint"], token=text).json()
    assert told == {"active": False}, told
    refused = session.get(base + records)
    assert refused.status_code == 401 and refused.json()["gate"] == "token", refused.text
    print(f"{name}: token, rows, introspection, revocation, 401")


whole_way("client_secret_basic", by_secret("client_secret_basic"))
whole_way("client_secret_post", by_secret("client_secret_post"))
whole_way("private_key_jwt", by_key())

# Left to itself authlib's assertion lives for an hour: it is told what is wrong with it.
plain = OAuth2Session(signer["id"], ECKey.import_key(signer["key"]), token_endpoint_auth_method="private_key_jwt")
plain.register_client_auth_method(PrivateKeyJWT(base, alg="ES256"))
try:
    plain.fetch_token(base + "/oauth/token", grant_type="client_credentials")
    raise SystemExit("an assertion that lives for an hour was taken")
except Exception as error:
    assert "invalid_client" in str(error) and "60 seconds" in str(error), error
print("an assertion of an hour: invalid_client")
