package account

import (
	"context"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/opencapi/capi/internal/fault"
)

// Bounds of a password. NIST SP 800-63B asks for length and advises against composition rules.
const (
	passwordLengthMin    = 10
	passwordSizeBytesMax = 1024
)

// hashParams are the OWASP recommendation for argon2id.
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hasher bounds how many hashes are computed at once: each takes 19 MiB and a core.
type hasher struct{ slots chan struct{} }

// dummy is the hash to compare with when no person has the email, so that it takes the same time.
var dummy = sync.OnceValues(func() (string, error) { return argon2id.CreateHash("no password", hashParams) })

func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	hash, err := argon2id.CreateHash(password, hashParams)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// matches reports whether the password has the hash. An empty hash matches nothing, and takes the same time.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.slots }()
	known := hash != ""
	if !known {
		var err error
		if hash, err = dummy(); err != nil {
			return false, fmt.Errorf("hash password: %w", err)
		}
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return ok && known, nil
}

func passwordFaults(field, password string) []fault.FieldError {
	var message string
	switch {
	case utf8.RuneCountInString(password) < passwordLengthMin:
		message = fmt.Sprintf("must have at least %d characters; a few words are good", passwordLengthMin)
	case len(password) > passwordSizeBytesMax:
		message = fmt.Sprintf("must not be longer than %d bytes", passwordSizeBytesMax)
	default:
		return nil
	}
	return []fault.FieldError{{Field: field, Message: message}}
}
