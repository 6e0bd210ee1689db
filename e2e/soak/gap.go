package main

import (
	"sync"
	"time"
)

// gaps measures the longest time without answers of each kind.
type gaps struct {
	mu      sync.Mutex
	last    map[string]time.Time
	longest map[string]time.Duration
}

// answerKinds are what gaps measures.
var answerKinds = []string{"answers", "searches", "purchases", "downloads"}

func newGaps() *gaps {
	g := &gaps{}
	g.begin()
	return g
}

// begin forgets what was measured.
func (g *gaps) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.longest = map[string]time.Time{}, map[string]time.Duration{}
	for _, kind := range answerKinds {
		g.last[kind] = time.Now()
	}
}

// answered records an answer now.
func (g *gaps) answered(kinds ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(kinds)
}

func (g *gaps) note(kinds []string) {
	now := time.Now()
	for _, kind := range kinds {
		g.longest[kind] = max(g.longest[kind], now.Sub(g.last[kind]))
		g.last[kind] = now
	}
}

// since reports whether there was an answer of each kind after the time.
func (g *gaps) since(at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, kind := range answerKinds {
		if !g.last[kind].After(at) {
			return false
		}
	}
	return true
}

// end returns the longest time without answers of each kind since begin.
func (g *gaps) end() map[string]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(answerKinds)
	return g.longest
}
