package embedded

// Figures are how the index is doing.
type Figures struct {
	Companies        int
	Segments         int
	SegmentsInMemory int    // of these, not on disk yet
	Merges           uint64 // since Open
	Merging          bool   // at this moment
	Lost             bool   // companies are missing, because a segment was damaged, and are being indexed anew
}

// Figures are those of the moment.
func (ix *Index) Figures() Figures {
	s := ix.current.Load()
	f := Figures{
		Companies: s.companies, Segments: len(s.parts),
		Merges: ix.merger.merges.Load(), Merging: ix.merger.merging.Load(), Lost: ix.lost.Load(),
	}
	for i := range s.parts {
		if s.parts[i].file == nil {
			f.SegmentsInMemory++
		}
	}
	return f
}
