package event

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/text"
)

// facts are members of the data of events that a sentence may need.
type facts struct {
	Name          string `json:"name"`
	Error         string `json:"error"`
	Message       string `json:"message"`
	Path          string `json:"path"`
	Export        string `json:"export_id"`
	NextAttemptAt string `json:"next_attempt_at"`
	Records       int64  `json:"total_records"`
	Charged       int64  `json:"credits_charged"`
	Refunded      int64  `json:"credits_refunded"`
	Amount        int64  `json:"amount"`
	Balance       int64  `json:"balance"`
	BalanceAfter  int64  `json:"balance_after"`
	LowBalance    int64  `json:"low_balance"`
	Percent       int    `json:"percent"`
}

// Sentence says in plain English what happened, in one line for a channel of a chat: names cannot call people or be links there.
func Sentence(t Type, data json.RawMessage) string {
	var f facts
	if err := json.Unmarshal(data, &f); err != nil {
		return "An event of the type " + string(t) + " happened."
	}
	name := "“" + harmless(text.Short(f.Name)) + "”"
	export := name
	if f.Name == "" { // refunds do not have it, nor do older events of deliveries
		export = f.Export
	}
	switch t {
	case ExportCreated:
		return fmt.Sprintf("Export %s was bought: %s for %s.", name, text.Count(f.Records, "company", "companies"), text.Count(f.Charged, "credit", "credits"))
	case ExportCompleted:
		return fmt.Sprintf("Export %s is ready: %s for %s.", name, text.Count(f.Records, "company", "companies"), text.Count(f.Charged, "credit", "credits"))
	case ExportFailed:
		return fmt.Sprintf("Export %s failed: %s", name, sentenceOf(f.Error))
	case ExportCancelled:
		return fmt.Sprintf("Export %s was cancelled.", name)
	case ExportRefunded:
		return fmt.Sprintf("Refunded for export %s: %s. The balance is %s.", export, text.Count(f.Refunded, "credit", "credits"), text.Count(f.Balance, "credit", "credits"))
	case ExportDelivered:
		return fmt.Sprintf("Export %s was delivered to %s.", export, harmless(f.Path))
	case ExportDeliveryFailed:
		if f.NextAttemptAt == "" {
			return fmt.Sprintf("Export %s could not be delivered: %s There is no further attempt.", export, sentenceOf(f.Error))
		}
		return fmt.Sprintf("Export %s could not be delivered yet: %s It is tried again.", export, sentenceOf(f.Error))
	case QuoteExpired:
		return "A quote expired that nobody bought."
	case OrderRan:
		if f.Export == "" {
			return fmt.Sprintf("Standing order %s ran: %s", name, sentenceOf(f.Message))
		}
		return fmt.Sprintf("Standing order %s ran: %s for %s.", name, text.Count(f.Records, "company", "companies"), text.Count(f.Charged, "credit", "credits"))
	case OrderSkipped:
		return fmt.Sprintf("Standing order %s was skipped: %s", name, sentenceOf(f.Message))
	case CreditsGranted:
		return fmt.Sprintf("The balance changed by %s, to %s.", signed(f.Amount), text.Count(f.BalanceAfter, "credit", "credits"))
	case CreditsLow:
		return fmt.Sprintf("Credits are low: %s left, fewer than %s.", text.Count(f.Balance, "credit", "credits"), humanize.Comma(f.LowBalance))
	case BudgetThreshold:
		return fmt.Sprintf("%s has spent %d %% of a budget.", name, f.Percent)
	case TokenCreated, TokenRotated, TokenRevoked, TokenBudgetChanged, TokenDailyCompaniesChanged,
		MemberAdded, MemberRoleChanged, MemberBudgetChanged, MemberRemoved: // as the catalogue says it
	}
	for _, e := range Catalogue() {
		if e.Type == t && f.Name != "" {
			return strings.TrimSuffix(e.When, ".") + ": " + name + "."
		}
		if e.Type == t {
			return e.When
		}
	}
	return "An event of the type " + string(t) + " happened."
}

// signed returns a change with its sign.
func signed(n int64) string {
	if n > 0 {
		return "+" + humanize.Comma(n)
	}
	return humanize.Comma(n)
}

func sentenceOf(s string) string {
	if s = harmless(s); s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// harmless replaces what chats read as a mention, a link or a new line.
func harmless(s string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "@", "＠", "\n", " ", "\r", " ").Replace(s)
}
