package unlock

import (
	"fmt"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// pendingMax bounds the deltas that within has to go through.
const pendingMax = 8

// owned is the sum of a workspace's deltas up to seq. Only committed deltas change it.
type owned struct {
	workspace id.Workspace

	mu      sync.Mutex
	loaded  bool
	seq     int64
	bits    *roaring.Bitmap // copy-on-write: shares containers with the sets that view returned
	pending []delta         // up to seq, but not in bits yet, so that a purchase need not wait while containers are copied
	given   *company.Set    // the last set that view returned, if it still shares containers
}

func (o *owned) isLoaded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.loaded
}

func (o *owned) position() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seq
}

// load starts from a snapshot, unless another reader has already done so.
func (o *owned) load(s snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loaded {
		return
	}
	o.bits, o.seq, o.loaded = s.companies.Bitmap().Clone(), s.seq, true
	o.bits.SetCopyOnWrite(true)
}

// absorb adds committed deltas, which must be consecutive; it skips those that it has already.
func (o *owned) absorb(deltas []delta) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range deltas {
		if d.seq <= o.seq {
			continue
		}
		if d.seq != o.seq+1 {
			return o.gap(o.seq + 1)
		}
		o.pending, o.seq = append(o.pending, d), d.seq
	}
	if o.given == nil || len(o.pending) > pendingMax {
		o.fold()
	}
	return nil
}

// fold applies the pending deltas to the bits.
func (o *owned) fold() {
	if len(o.pending) == 0 {
		return
	}
	for _, d := range o.pending {
		d.applyTo(o.bits)
	}
	o.pending, o.given = nil, nil
}

// view returns the sum as a set that does not change, and the number of the last delta in it. It copies no companies, only
// a few bytes for every 65,536 numbers.
func (o *owned) view() (company.Set, int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fold()
	if o.given == nil {
		c := o.bits.Clone()
		c.SetCopyOnWrite(false) // else readers would write copy-on-write marks into it
		set := company.SetFrom(c)
		o.given = &set
	}
	return *o.given, o.seq
}

// within returns the part of asked that is owned after the unseen deltas, and the number of the last delta. Its cost grows
// with asked, not with the sum.
func (o *owned) within(asked company.Set, unseen []delta) (company.Set, int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	part, seq := company.SetFrom(roaring.And(asked.Bitmap(), o.bits)), o.seq
	for _, d := range o.pending {
		part = d.within(asked, part)
	}
	for _, d := range unseen {
		if d.seq <= seq {
			continue
		}
		if d.seq != seq+1 {
			return company.Set{}, 0, o.gap(seq + 1)
		}
		part, seq = d.within(asked, part), d.seq
	}
	return part, seq, nil
}

// sizeBytes returns roughly the memory of the sum.
func (o *owned) sizeBytes() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.loaded {
		return slotBytes
	}
	return slotBytes + int64(o.bits.GetSizeInBytes())
}

func (o *owned) gap(seq int64) error {
	return fmt.Errorf("unlocks of workspace %s: delta %d is missing", o.workspace, seq)
}
