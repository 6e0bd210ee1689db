package notify

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// letter is the content of an email.
type letter struct {
	Subject string
	Lines   []string // paragraphs before the link
	Button  string   // what the link does; empty without one
	Link    string
	After   []string // paragraphs after the link
}

// text returns the letter as plain text, in which the link is on a line of its own.
func (l letter) text() string {
	parts := append([]string{}, l.Lines...)
	if l.Button != "" {
		parts = append(parts, l.Button+":\n"+l.Link)
	}
	return strings.Join(append(parts, l.After...), "\n\n") + "\n"
}

// timeFormat is how letters write when a link ends.
const timeFormat = "2 January 2006, 15:04 MST"

var page = template.Must(template.New("letter").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 1.5em auto; padding: 0 1em">
{{range .Lines}}<p>{{.}}</p>
{{end}}{{if .Button}}<p><a href="{{.Link}}">{{.Button}}</a></p>
<p>If the link does not open, copy this address into your browser:<br>{{.Link}}</p>
{{end}}{{range .After}}<p>{{.}}</p>
{{end}}</body></html>
`))

func (l letter) html() (string, error) {
	var b bytes.Buffer
	err := page.Execute(&b, l)
	return b.String(), err
}

// linkLetter returns the letter with the link of an invitation.
func (s *sender) linkLetter(ctx context.Context, i account.Invitation, link string) (letter, error) {
	ends := "The link works once, until " + i.ExpiresAt.UTC().Format(timeFormat) + "."
	ignore := "If you did not expect this email, you can ignore it."
	switch i.Kind {
	case account.InvitePassword:
		return letter{
			Subject: "Set a new password for CAPI",
			Lines:   []string{"Somebody asked for a link to set a new password for your account, " + i.Email + "."},
			Button:  "Set a new password", Link: link,
			After: []string{ends + " It signs out every browser that is signed in.", "If it was not you, ignore this email: your password stays as it is."},
		}, nil
	case account.InviteFirst:
		return letter{
			Subject: "Create the first account of your CAPI server",
			Lines:   []string{"The server is ready. Its first account is an operator, who manages the whole installation."},
			Button:  "Create the first account", Link: link, After: []string{ends, ignore},
		}, nil
	case account.InviteOperator:
		return letter{
			Subject: "Invitation to manage a CAPI server",
			Lines:   []string{"You are invited to become an operator, who manages the whole installation."},
			Button:  "Accept the invitation", Link: link, After: []string{ends, ignore},
		}, nil
	case account.InviteMember:
	}
	var workspace, by string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT w.name, COALESCE((SELECT p.name FROM person p WHERE p.id = $2), '')
		FROM workspace w WHERE w.id = $1`, i.Workspace, i.InvitedBy).Scan(&workspace, &by)
	if err != nil {
		return letter{}, fmt.Errorf("read workspace of invitation %s: %w", i.ID, err)
	}
	who := "You are invited"
	if by != "" {
		who = by + " invites you"
	}
	return letter{
		Subject: "Invitation to " + workspace,
		Lines:   []string{fmt.Sprintf("%s to the workspace %s on CAPI, as %s.", who, workspace, i.Role)},
		Button:  "Accept the invitation", Link: link, After: []string{ends, ignore},
	}, nil
}

// emailLetter returns the letter with the link that confirms another email of the person.
func emailLetter(person account.Person, link string, expires time.Time) letter {
	return letter{
		Subject: "Confirm your new email address for CAPI",
		Lines:   []string{person.Name + " asked to sign in to CAPI with this email address from now on."},
		Button:  "Confirm the address", Link: link,
		After: []string{
			"The link works once, until " + expires.UTC().Format(timeFormat) + ", in a browser in which " + person.Name + " is signed in.",
			"If it was not you, ignore this email: nothing changes.",
		},
	}
}

// movedLetter returns the letter to the earlier email of a person.
func movedLetter(name, earlier string) letter {
	return letter{
		Subject: "Your email address for CAPI was changed",
		Lines:   []string{"The account of " + name + " no longer signs in as " + earlier + ": another email address took its place."},
		After:   []string{"If it was not you, tell an operator of this server at once. They can see the change in the audit log and end every session."},
	}
}

// exportLetter returns the letter about the end of an export and the address of its creator, which is empty if they are no longer
// a member.
func (s *sender) exportLetter(ctx context.Context, p exportPayload) (to string, l letter, err error) {
	var ws id.Workspace
	var name, status, failure string
	var rows int64
	var ordered bool
	err = s.DB.Read().QueryRowContext(ctx, `
		SELECT p.email, e.workspace_id, e.name, e.status, e.error, e.processed_records,
			EXISTS (SELECT 1 FROM order_run r WHERE r.export_id = e.id)
		FROM export e
		JOIN person p ON p.id = e.person_id AND p.removed_at IS NULL
		JOIN member m ON m.workspace_id = e.workspace_id AND m.person = p.id AND m.left_at IS NULL
		WHERE e.id = $1`, p.Export).Scan(&to, &ws, &name, &status, &failure, &rows, &ordered)
	if errors.Is(err, sql.ErrNoRows) {
		return "", letter{}, nil
	}
	if err != nil {
		return "", letter{}, fmt.Errorf("read export %s: %w", p.Export, err)
	}
	l = letter{Button: "Open the export", Link: s.links.Export(ws, p.Export), After: []string{"You get this email because you asked for it when you bought the export."}}
	if ordered {
		l.After = []string{chosen}
	}
	if status == "completed" {
		l.Subject = "Export ready: " + name
		l.Lines = []string{fmt.Sprintf("Your export %s is ready, with %s.", name, text.Count(rows, "company", "companies"))}
	} else {
		l.Subject = "Export failed: " + name
		l.Lines = []string{fmt.Sprintf("Your export %s failed. %s", name, failure)}
	}
	return to, l, nil
}

// wants returns the address of a member who wants the emails of the column, and the name of the workspace. The address is empty if they do
// not, or have left.
func (s *sender) wants(ctx context.Context, ws id.Workspace, person id.Person, column string) (to, workspace string, err error) {
	err = s.DB.Read().QueryRowContext(ctx, `
		SELECT p.email, w.name
		FROM workspace w
		JOIN member m ON m.workspace_id = w.id AND m.person = $2 AND m.`+column+` <> 0 AND m.left_at IS NULL
		JOIN person p ON p.id = m.person AND p.removed_at IS NULL
		WHERE w.id = $1`, ws, person).Scan(&to, &workspace)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read member %s of workspace %s: %w", person, ws, err)
	}
	return to, workspace, nil
}

// lowLetter returns the address of a member and the email about low credits. The address is empty if nothing is to be sent.
func (s *sender) lowLetter(ctx context.Context, p lowPayload) (to string, l letter, err error) {
	to, workspace, err := s.wants(ctx, p.Workspace, p.Person, "mail_low")
	if err != nil || to == "" {
		return "", letter{}, err
	}
	return to, letter{
		Subject: "Credits are low in " + workspace,
		Lines: []string{fmt.Sprintf("A purchase has taken the balance of the workspace %s to %s. That is below %s, which an owner has set as low.",
			workspace, text.Count(p.Balance, "credit", "credits"), text.Count(p.Low, "credit", "credits"))},
		After: []string{chosen},
	}, nil
}

// brokenLetter returns the letter about a webhook that was disabled and the address of the owner, which is empty if there is nothing to
// tell them.
func (s *sender) brokenLetter(ctx context.Context, p brokenPayload) (to string, l letter, err error) {
	var workspace, url, why string
	err = s.DB.Read().QueryRowContext(ctx, `
		SELECT p.email, w.name, h.url, h.disabled_why
		FROM webhook h
		JOIN workspace w ON w.id = h.workspace_id
		JOIN member m ON m.workspace_id = w.id AND m.person = $2 AND m.role = 'owner' AND m.left_at IS NULL
		JOIN person p ON p.id = m.person AND p.removed_at IS NULL
		WHERE h.id = $1 AND h.disabled_at IS NOT NULL`, p.Webhook, p.Person).Scan(&to, &workspace, &url, &why)
	if errors.Is(err, sql.ErrNoRows) {
		return "", letter{}, nil
	}
	if err != nil {
		return "", letter{}, fmt.Errorf("read webhook %s: %w", p.Webhook, err)
	}
	return to, letter{
		Subject: "Webhook disabled in " + workspace,
		Lines:   []string{"Events of the workspace " + workspace + " are no longer sent to " + url + ".", why},
		After:   []string{"Enable it again when the receiver works. Events that were not delivered are in the event log of the API for 90 days."},
	}, nil
}
