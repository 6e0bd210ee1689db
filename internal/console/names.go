package console

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

// buyerNames are the names of a workspace's tokens and people.
type buyerNames struct {
	tokens map[id.Token]token.Token
	people map[id.Person]string
}

// of is the name of who bought something; empty if it is not known any more.
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
	people, err := s.People.List(ctx) // also who has left since
	for _, p := range people {
		b.people[p.ID] = p.Name
	}
	return b, err
}

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }
