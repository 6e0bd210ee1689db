"""Verifies a detached signature with three libraries, and prints a line for each that accepts it.

usage: verify.py JWKS DOCUMENT SIGNATURE
"""

import base64
import json
import sys

import jwcrypto.jwk
import jwcrypto.jws
import jwt
from joserfc import jws as joserfc_jws
from joserfc.jwk import KeySet

jwks, document, signature = (open(path, "rb").read() for path in sys.argv[1:])
signature = signature.decode().strip()
header, empty, mac = signature.split(".")
assert empty == ""
kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
whole = ".".join([header, base64.urlsafe_b64encode(document).decode().rstrip("="), mac])


def pyjwt():
    key = next(k for k in jwt.PyJWKSet.from_json(jwks.decode()).keys if k.key_id == kid)
    jwt.PyJWS().decode(whole, key, algorithms=["EdDSA"])


def with_jwcrypto():
    keys = jwcrypto.jwk.JWKSet.from_json(jwks.decode())
    token = jwcrypto.jws.JWS()
    token.allowed_algs = ["EdDSA"]
    token.deserialize(signature)
    token.verify(keys.get_key(kid), detached_payload=document)


def joserfc():
    keys = KeySet.import_key_set(json.loads(jwks))
    joserfc_jws.deserialize_compact(signature, keys, payload=document, algorithms=["EdDSA"])


for verify in [pyjwt, with_jwcrypto, joserfc]:
    try:
        verify()
        print("accepted by", verify.__name__)
    except Exception as e:
        print("refused by", verify.__name__, type(e).__name__, e)
