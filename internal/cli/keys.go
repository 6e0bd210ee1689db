package cli

import (
	"time"

	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/signing"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"Show the signing keys."`
	Rotate keysRotate `cmd:"" help:"Make a new signing key."`
	Revoke keysRevoke `cmd:"" help:"Withdraw a signing key whose private part is not secret any more."`
}

type keyRow struct {
	ID        string        `json:"kid"`
	State     signing.State `json:"state"`
	CreatedAt time.Time     `json:"created_at"`
	SignsFrom time.Time     `json:"signs_from"`
	RevokedAt *time.Time    `json:"revoked_at"`
}

func rowOfKey(k signing.Key) keyRow {
	return keyRow{k.ID, k.State, k.CreatedAt, k.SignsFrom, k.RevokedAt}
}

type keysList struct{ jsonFlag }

// Help is shown below the summary.
func (keysList) Help() string {
	return `Manifests, receipts and statements are signed with a key of this installation. /.well-known/jwks.json publishes the public keys. A key

    waits      is published, and signs later
    signs      signs what is written now
    verifies   is published for what it has signed; it stays so
    revoked    is not published any more`
}

// Run prints the keys, newest first.
func (c *keysList) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	keys, err := a.Signing.List(s.ctx)
	if err != nil {
		return err
	}
	items := make([]keyRow, len(keys))
	rows := make([][]string, len(keys))
	for i, k := range keys {
		items[i] = rowOfKey(k)
		rows[i] = []string{k.ID, string(k.State), timestamp(k.CreatedAt), timestamp(k.SignsFrom), orDash(k.RevokedAt)}
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	s.printTable([]string{"KEY (kid)", "STATE", "CREATED (UTC)", "SIGNS FROM", "REVOKED"}, rows)
	return nil
}

// overlap is a duration, also in days, or 0.
type overlap time.Duration

// UnmarshalText accepts 0 and what config.Lifetime accepts.
func (o *overlap) UnmarshalText(p []byte) error {
	var l config.Lifetime
	if string(p) != "0" {
		if err := l.UnmarshalText(p); err != nil {
			return err
		}
	}
	*o = overlap(l)
	return nil
}

type keysRotate struct {
	Overlap overlap `default:"24h" placeholder:"TIME" help:"How long the new key is published before it signs: 1h to 30d, or 0 to sign with it at once (default ${default})."`
	jsonFlag
}

// Help is shown below the summary.
func (keysRotate) Help() string {
	return `The new key is published at once and signs after the overlap. Until then the present key signs. Readers may keep the published keys for
an hour, so with an overlap nobody meets a key that they do not know. Earlier public keys stay published, so that everything that they have
signed can still be verified; their private parts are deleted at the next rotation. Examples:

    capi keys rotate
    capi keys rotate --overlap 0`
}

// Run makes the key.
func (c *keysRotate) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	k, err := a.Signing.Rotate(s.ctx, time.Duration(c.Overlap))
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(rowOfKey(k))
	}
	if k.State == signing.Signs {
		s.printf("Key %s signs from now on. Programs that have kept the published keys know it within an hour.\n", k.ID)
		return nil
	}
	s.printf("Key %s is published and signs from %s UTC.\n", k.ID, timestamp(k.SignsFrom))
	return nil
}

type keysRevoke struct {
	ID string `arg:"" name:"kid" help:"The key, as capi keys list shows it."`
}

// Help is shown below the summary.
func (keysRevoke) Help() string {
	return `Use it if the private part of a key may be known to others: they could sign with it. The key is not published any more, so nothing that it
has signed can be verified. If it was the one that signs, a new key is made. Manifests get a signature of the present key when they are
downloaded again; receipts and statements must be requested again. A revocation cannot be undone.`
}

// Run revokes the key.
func (c *keysRevoke) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Signing.Revoke(s.ctx, c.ID); err != nil {
		return err
	}
	s.printf("Key %s is revoked. Programs that have kept the published keys may accept it for another hour.\n", c.ID)
	return nil
}
