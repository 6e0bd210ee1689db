package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
)

// recentMax is the number of transactions returned with the balance.
const recentMax = 20

// CreditsResponse is the balance of a workspace and its newest transactions.
type CreditsResponse struct {
	WorkspaceID        id.Workspace  `json:"workspace_id" format:"uuid" doc:"The workspace of the token."`
	Balance            int64         `json:"balance" doc:"Credits left: the number of new companies that the workspace can export." example:"1250"`
	RecentTransactions []Transaction `json:"recent_transactions" doc:"The 20 newest transactions, newest first."`
	DailyCompanies     *Daily        `json:"daily_companies,omitempty" doc:"How many companies that the workspace does not own may be shown today. Missing without a limit."`
}

// Daily is a limit of different companies in a day, and how much of it is used.
type Daily struct {
	Limit    int       `json:"limit" doc:"The most companies in a day: the limit of the token or of the workspace, whichever leaves less." example:"5000"`
	Shown    int       `json:"shown" doc:"Companies that were shown today. Each counts once." example:"320"`
	Left     int       `json:"left" doc:"How many more may be shown." example:"4680"`
	ResetsAt time.Time `json:"resets_at" doc:"When the day ends, in UTC."`
}

// Transaction is a ledger entry in short.
type Transaction struct {
	ID        id.Entry  `json:"id" format:"uuid" doc:"The id of the transaction."`
	Amount    int64     `json:"amount" doc:"Negative for charges." example:"-180"`
	Reason    string    `json:"reason" doc:"grant, purchase, adjustment, export_charge or export_refund." example:"export_charge"`
	Reference *string   `json:"reference" doc:"What was charged or refunded; null for grants."`
	CreatedAt time.Time `json:"created_at" doc:"When the transaction was made."`
}

func (s *server) getCredits(ctx context.Context, caller auth.Caller, _ *nothingIn) (*CreditsResponse, error) {
	balance, err := s.Credits.Balance(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	entries, err := s.Credits.Recent(ctx, caller.Workspace, recentMax)
	if err != nil {
		return nil, err
	}
	recent := make([]Transaction, len(entries))
	for i, e := range entries {
		recent[i] = Transaction{
			ID: e.ID, Amount: e.Amount, Reason: string(e.Reason), Reference: orNull(e.Reference), CreatedAt: e.CreatedAt,
		}
	}
	out := &CreditsResponse{WorkspaceID: caller.Workspace, Balance: balance, RecentTransactions: recent}
	today, err := s.Search.Wall.Today(ctx, caller)
	if today != nil {
		out.DailyCompanies = &Daily{Limit: today.Limit, Shown: today.Shown, Left: today.Left(), ResetsAt: today.ResetsAt}
	}
	return out, err
}
