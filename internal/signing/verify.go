package signing

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Keys are public keys, as /.well-known/jwks.json has them (RFC 7517).
type Keys struct {
	jose.JSONWebKeySet
}

// The errors of Verify.
var (
	ErrUnreadable = errors.New("the signature cannot be read: it is empty, cut off or not a detached JWS")
	ErrUnknownKey = errors.New("the key is not among the published keys")
	ErrMismatch   = errors.New("the signature does not fit: the content is not what was signed, or the signature was changed")
)

// ParseKeys reads published keys.
func ParseKeys(content []byte) (Keys, error) {
	var k Keys
	if err := json.Unmarshal(content, &k.JSONWebKeySet); err != nil {
		return Keys{}, fmt.Errorf("not a set of keys (JWKS): %w", err)
	}
	if len(k.Keys) == 0 {
		return Keys{}, errors.New("not a set of keys (JWKS): it has no keys")
	}
	return k, nil
}

// signatureBytes is the length of a signature of Ed25519.
const signatureBytes = 64

// Verify checks the signature of a document and returns the id of its key, which is empty if the signature cannot be read.
func (k Keys) Verify(document []byte, signature string) (kid string, err error) {
	signature = strings.TrimSpace(signature)
	if document == nil {
		document = []byte{}
	}
	signed, err := jose.ParseDetached(signature, document, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(signed.Signatures) != 1 || len(signed.Signatures[0].Signature) != signatureBytes {
		return "", ErrUnreadable
	}
	kid = signed.Signatures[0].Header.KeyID
	known := k.Key(kid)
	if kid == "" || len(known) == 0 {
		return kid, ErrUnknownKey
	}
	for _, key := range known {
		if key.IsPublic() && signed.DetachedVerify(document, key.Key) == nil {
			return kid, nil
		}
	}
	return kid, ErrMismatch
}
