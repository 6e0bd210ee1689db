// Package seal encrypts secrets that are stored in the database, with keys that are derived from the installation's key, which is not.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
)

// New returns the cipher for secrets of one purpose. Its key differs from every other key that is made from the same one. It is nil
// if the key is empty.
func New(key []byte, purpose string) cipher.AEAD {
	if len(key) == 0 {
		return nil
	}
	derived, err := hkdf.Key(sha256.New, key, nil, purpose, sha256.Size)
	if err != nil {
		panic(err) // only for a key that is too long
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		panic(err) // only for a size that AES does not have
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for another block size
	}
	return sealer
}
