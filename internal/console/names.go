package console

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

// buyerNames are the tokens of a workspace, and the names of people.
type buyerNames struct {
	tokens map[id.Token]token.Token
	people map[id.Person]string
}

// of returns the name of the buyer; empty if it is no longer known.
func (b buyerNames) of(token id.Token, person id.Person) string {
	if !person.IsZero() {
		return b.people[person]
	}
	if t, ok := b.tokens[token]; ok {
		return "token " + t.Name
	}
	return ""
}

func (s *server) buyerNames(ctx context.Context, ws id.Workspace) (buyerNames, error) {
	b := buyerNames{map[id.Token]token.Token{}, map[id.Person]string{}}
	tokens, err := s.Tokens.List(ctx, ws)
	if err != nil {
		return b, err
	}
	for _, t := range tokens {
		b.tokens[t.ID] = t
	}
	people, err := s.People.List(ctx) // including people who have left
	for _, p := range people {
		b.people[p.ID] = p.Name
	}
	return b, err
}

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }
