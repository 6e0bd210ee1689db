package unlock

import (
	"container/list"
	"sync"

	"github.com/opencapi/capi/internal/id"
)

// cache keeps the most recently used sums, as many as fit.
type cache struct {
	bytesMax int64

	mu    sync.Mutex
	bytes int64
	order *list.List // of *slot, the most recently used first
	slots map[id.Workspace]*list.Element
}

// slotBytes is roughly the memory of an empty sum and its slot in the cache.
const slotBytes = 512

type slot struct {
	owned *owned
	bytes int64
}

func newCache(bytesMax int64) *cache {
	return &cache{bytesMax: bytesMax, order: list.New(), slots: map[id.Workspace]*list.Element{}}
}

// get returns the workspace's sum, which is not loaded yet if it was not in the cache.
func (c *cache) get(ws id.Workspace) *owned {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.slots[ws]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*slot).owned
	}
	o := &owned{workspace: ws}
	c.slots[ws] = c.order.PushFront(&slot{owned: o, bytes: slotBytes})
	c.bytes += slotBytes
	return o
}

// settle updates the size of the sum and drops others if the total is too large.
func (c *cache) settle(o *owned) {
	bytes := o.sizeBytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.slots[o.workspace]
	if !ok || e.Value.(*slot).owned != o {
		return
	}
	s := e.Value.(*slot)
	c.bytes += bytes - s.bytes
	s.bytes = bytes
	for c.bytes > c.bytesMax && c.order.Back() != e {
		c.remove(c.order.Back())
	}
}

// drop removes the sum.
func (c *cache) drop(o *owned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.slots[o.workspace]; ok && e.Value.(*slot).owned == o {
		c.remove(e)
	}
}

func (c *cache) remove(e *list.Element) {
	s := c.order.Remove(e).(*slot)
	delete(c.slots, s.owned.workspace)
	c.bytes -= s.bytes
}
