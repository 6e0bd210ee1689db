package export

import (
	"context"
	"sync"

	"github.com/opencapi/capi/internal/id"
)

// turns lets purchases of a workspace that would choose the same companies run one after the other. The zero value is ready for use.
type turns struct {
	mu sync.Mutex
	of map[id.Workspace]*turn
}

type turn struct {
	taken chan struct{} // has room for one
	users int           // those who have the turn or wait for it
}

// take waits until it is the caller's turn, first come, first served. The caller must call end.
func (t *turns) take(ctx context.Context, ws id.Workspace) (end func(), err error) {
	mine := t.join(ws)
	select {
	case mine.taken <- struct{}{}:
		return func() {
			<-mine.taken
			t.leave(ws)
		}, nil
	case <-ctx.Done():
		t.leave(ws)
		return nil, ctx.Err()
	}
}

func (t *turns) join(ws id.Workspace) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine, ok := t.of[ws]
	if !ok {
		mine = &turn{taken: make(chan struct{}, 1)}
		if t.of == nil {
			t.of = map[id.Workspace]*turn{}
		}
		t.of[ws] = mine
	}
	mine.users++
	return mine
}

func (t *turns) leave(ws id.Workspace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[ws].users--; t.of[ws].users == 0 {
		delete(t.of, ws)
	}
}
