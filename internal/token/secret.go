package token

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// A secret is cornect_ + 32 random characters + 6 characters of CRC-32 over all before them, base 62. The checksum detects
// a mistyped token without a look-up, and lets secret scanners verify a leak.
const (
	secretPrefix = "cornect_"
	randomLength = 32 // 190 bits
	sumLength    = 6
	secretLength = len(secretPrefix) + randomLength + sumLength
	shownLength  = 12 // of the prefix of the secret that is stored in clear text

	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func newSecret() string {
	s := make([]byte, 0, secretLength)
	s = append(s, secretPrefix...)
	for len(s) < secretLength-sumLength {
		s = appendRandom(s, secretLength-sumLength)
	}
	return string(append(s, checksum(string(s))...))
}

// appendRandom appends random characters up to the length. It drops bytes that would favour some characters.
func appendRandom(s []byte, length int) []byte {
	const unbiased = 256 - 256%len(alphabet)
	var raw [48]byte
	_, _ = rand.Read(raw[:]) // it never fails
	for _, b := range raw {
		if int(b) < unbiased && len(s) < length {
			s = append(s, alphabet[int(b)%len(alphabet)])
		}
	}
	return s
}

func checksum(s string) []byte {
	sum := crc32.ChecksumIEEE([]byte(s))
	out := make([]byte, sumLength)
	for i := sumLength - 1; i >= 0; i-- {
		out[i] = alphabet[sum%uint32(len(alphabet))]
		sum /= uint32(len(alphabet))
	}
	return out
}

// wellFormed reports whether newSecret may have made the secret.
func wellFormed(secret string) bool {
	if len(secret) != secretLength || !strings.HasPrefix(secret, secretPrefix) {
		return false
	}
	body := secret[:secretLength-sumLength]
	return string(checksum(body)) == secret[len(body):]
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}
