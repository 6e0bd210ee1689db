package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
)

// Preview tells what Put would do with a batch, and writes nothing. Like Put it takes the batches of a file in their
// order; numbers of companies that would be added are made up.
func (s *Store) Preview(ctx context.Context, source *Source, batch []Incoming) (Report, error) {
	var p *put
	err := s.write(ctx, func(e *edit) error {
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
		p.source.previewed = map[int64]company.Number{}
	}
	for n := range p.seen {
		p.source.delivered[n] = struct{}{}
	}
	for _, e := range p.toWrite {
		if e.added {
			p.source.previewed[e.identity()] = e.row.number
		}
	}
}

// identity is a hash of all that tells a row of a file from another one.
func (e *entry) identity() int64 {
	return hash("row", e.name, e.company.Domain, e.place.country, e.place.state, e.place.city)
}

// wasPreviewed holds if an earlier batch of the file would have added the same company, and gives the number made up for it.
func (p *put) wasPreviewed(in *Incoming) (company.Number, bool) {
	if !p.preview || p.source == nil {
		return 0, false
	}
	n, ok := p.source.previewed[(&entry{company: &in.company, name: in.name, place: in.place}).identity()]
	return n, ok
}

// PreviewConnections tells what Connect would do with a batch, and writes nothing. A connection among those seen by an
// earlier call counts as unchanged. Whether a connection would have to wait is not told: the companies of the same import
// are not there.
func (s *Store) PreviewConnections(ctx context.Context, seen map[int64]struct{}, batch []Connection) (ConnectReport, error) {
	report := ConnectReport{}
	err := s.write(ctx, func(e *edit) error {
		fresh, err := e.dropKnown(ctx, batch)
		if err != nil {
			return err
		}
		if err := e.resolve(ctx, fresh); err != nil {
			return err
		}
		if fresh, err = e.dropEquivalent(ctx, fresh); err != nil {
			return err
		}
		report = ConnectReport{}
		for i := range fresh {
			if _, ok := seen[fresh[i].identity]; !ok {
				report.Added++
			}
		}
		for i := range fresh {
			seen[fresh[i].identity] = struct{}{}
		}
		report.Unchanged = len(batch) - report.Added
		return nil
	})
	if err != nil {
		return ConnectReport{}, fmt.Errorf("preview connections: %w", err)
	}
	return report, nil
}
