package catalog

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// Preview returns what Put would do with a batch, and writes nothing. Like Put it takes the batches of a file in their
// order. The numbers of companies that would be added are placeholders.
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

// remember records which companies the file would have delivered, as their rows are not written.
func (p *put) remember() {
	if p.source == nil {
		return
	}
	if p.source.previewed == nil {
		p.source.previewed = map[int64]company.Number{}
	}
	for n := range p.seen {
		p.source.delivered.Add(uint32(n))
	}
	for _, e := range p.toWrite {
		if e.added {
			p.source.previewed[e.identity()] = e.row.number
		}
	}
}

// identity is a hash of the values that distinguish a row of a file from others.
func (e *entry) identity() int64 {
	return hash("row", text.Fold(e.company.Name), e.company.Domain, e.place.Country, e.place.State, e.place.City)
}

// wasPreviewed reports whether an earlier batch of the file would have added the same company, and returns its placeholder
// number.
func (p *put) wasPreviewed(in *Incoming) (company.Number, bool) {
	if !p.preview || p.source == nil {
		return 0, false
	}
	n, ok := p.source.previewed[(&entry{company: &in.company, place: in.place}).identity()]
	return n, ok
}

// PreviewConnections returns what Connect would do with a batch, and writes nothing. A connection that an earlier call has
// added to seen counts as unchanged. The report does not say which links would be pending, because the companies of the
// same import are not in the catalog yet.
func (s *Store) PreviewConnections(ctx context.Context, seen map[int64]struct{}, batch []Connection) (ConnectReport, error) {
	report := ConnectReport{}
	err := s.write(ctx, func(e *edit) error {
		fresh := newLinks(batch)
		if err := e.finder().resolve(ctx, fresh); err != nil {
			return err
		}
		fresh, err := e.dropKnown(ctx, fresh)
		if err != nil {
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
