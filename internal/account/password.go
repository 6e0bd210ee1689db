package account

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/trustelem/zxcvbn"

	"github.com/opencapi/capi/internal/fault"
)

// Bounds of a password. NIST SP 800-63B asks for length and a check against common passwords, and advises against composition
// rules.
const (
	passwordLengthMin    = 10
	passwordSizeBytesMax = 1024
)

// hashParams are the OWASP recommendation for argon2id.
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hasher bounds how many hashes are computed at once, as each takes 19 MiB and a core, and how many wait for that: nobody waits
// longer than a second or so, however many passwords are tried.
type hasher struct {
	slots   chan struct{}
	waiting chan struct{}
}

// waitersPerSlot is the number of hashes that may wait for each that is computed.
const waitersPerSlot = 16

func newHasher(slots int) *hasher {
	return &hasher{slots: make(chan struct{}, slots), waiting: make(chan struct{}, slots*(1+waitersPerSlot))}
}

// dummy is the hash to compare with when no person has the email, so that it takes the same time.
var dummy = sync.OnceValues(func() (string, error) { return argon2id.CreateHash("no password", hashParams) })

// enter waits for a slot. The caller must call leave if it returns nil. ServiceUnavailable if too many wait already.
func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.waiting <- struct{}{}:
	default:
		const retrySeconds = 5
		return fault.New(fault.ServiceUnavailable, "Too many people are signing in at the moment. Try again in %d seconds.", retrySeconds).
			With("retry_after", retrySeconds)
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-h.waiting
		return ctx.Err()
	}
}

func (h *hasher) leave() { <-h.slots; <-h.waiting }

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
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
	defer h.leave()
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

// passwordFaults checks a new password of the person with the given name and email address.
func passwordFaults(field, password string, about ...string) []fault.FieldError {
	var message string
	switch {
	case utf8.RuneCountInString(password) < passwordLengthMin:
		message = fmt.Sprintf("must have at least %d characters; a few words are good", passwordLengthMin)
	case len(password) > passwordSizeBytesMax:
		message = fmt.Sprintf("must not be longer than %d bytes", passwordSizeBytesMax)
	case isGuessable(password, about):
		message = "is easy to guess: it is a common password, a pattern, or close to your name; use a few words that do not belong together"
	default:
		return nil
	}
	return []fault.FieldError{{Field: field, Message: message}}
}

const (
	estimatedLengthMax = 64  // characters; estimating takes quadratic time
	guessesMin         = 1e7 // more than the limits on sign-ins allow in years
	distinctMin        = 5   // characters
)

// isGuessable reports whether a password is found within few guesses: by lists of common passwords and words, by names of the
// person, by repetitions, sequences and keyboard patterns.
func isGuessable(password string, about []string) bool {
	runes := []rune(password)
	distinct := map[rune]bool{}
	for _, r := range runes {
		distinct[r] = true
	}
	if len(distinct) < distinctMin {
		return true
	}
	if len(runes) < len(password) {
		return false // the lists and patterns are of ASCII, and zxcvbn's figures for other text are not reliable
	}
	words := []string{"capi"}
	for _, a := range about {
		words = append(words, strings.FieldsFunc(strings.ToLower(a), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	return zxcvbn.PasswordStrength(password[:min(len(password), estimatedLengthMax)], words).Guesses < guessesMin
}
