package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
)

// Preview tells what Put would do with a batch, and writes nothing. Like Put it takes the batches of a file in their
// order; numbers of companies that would be added are made up.
func (b *Book) Preview(ctx context.Context, source *Source, batch []Incoming) (Report, error) {
	var p *put
	err := b.write(ctx, func(e *edit) error {
		if source != nil {
			e.next += uint64(len(source.previewed))
		}
		p = &put{edit: e, source: source, seen: map[company.Number]struct{}{}, preview: true}
		return p.run(ctx, batch)
	})
	if err != nil {
		return Report{}, fmt.Errorf("preview companies: %w", err)
	}
	p.remember()
	return p.report, nil
}

// remember keeps which companies the file would have delivered, in place of their rows.
func (p *put) remember() {
	if p.source == nil {
		return
	}
	if p.source.previewed == nil {
		p.source.previewed = map[int64]struct{}{}
	}
	for n := range p.seen {
		p.source.delivered[n] = struct{}{}
	}
	for _, e := range p.order {
		if e.added {
			p.source.previewed[e.identity()] = struct{}{}
		}
	}
}

// identity is a hash of all that tells a row of a file from another one.
func (e *entry) identity() int64 {
	return hash("row", e.name, e.company.Domain, e.place.country, e.place.state, e.place.city)
}

// wasPreviewed holds if an earlier batch of the file would have added the same company.
func (p *put) wasPreviewed(in *Incoming) bool {
	if !p.preview || p.source == nil {
		return false
	}
	_, ok := p.source.previewed[(&entry{company: &in.company, name: in.name, place: in.place}).identity()]
	return ok
}
