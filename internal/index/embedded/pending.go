package embedded

// isRare holds for a value that is no bit of the rows.
func (p *part) isRare(f field, local uint32) bool { return !p.isFrequent.has(p.rows.first[f] + local) }

// eachRare yields the rare values of the field that may have matches, and how many at most.
func (c *counted) eachRare(f field, yield func(local, most uint32)) {
	first := c.hits.rows.first[f]
	for local, total := range c.hits.rows.totals[first:c.hits.rows.first[f+1]] {
		if total > 0 && c.isRare(f, uint32(local)) {
			yield(uint32(local), min(total, uint32(c.hits.count)))
		}
	}
}

const (
	// testingShare of the slots at least must be counted, else counting rare values one by one never pays.
	testingShare = 8
	// What counting a row costs, and a word of ids in it, in the time of testing one slot of a posting list.
	rowWork     = 5
	rowWordWork = 4
)

// testingPays estimates whether counting the rare values one by one is less work than counting the rows of n slots.
func (c *counted) testingPays(n int, asked asked) bool {
	r := &c.hits.rows
	budget := n * (rowWork + rowWordWork*(r.width()-r.bitWords()))
	for f := range rowFields {
		if asked.fields[f] {
			budget -= c.testingWork(f, asked.limit)
		}
		if budget <= 0 {
			return false
		}
	}
	return true
}

// testingWork is the slots of the field's rare values that may have to be looked at.
func (c *counted) testingWork(f field, limit int) (work int) {
	r := &c.hits.rows
	least, left := c.likelyLeast(f, limit)
	if left == 0 {
		return 0
	}
	c.eachRare(f, func(local, most uint32) {
		if f == fieldBand || f == fieldDecade || most >= least {
			work += int(r.totals[r.first[f]+local])
		}
	})
	return work
}

// likelyLeast is the count that the last of the field's first values will have at least, which is a guess if fewer than
// limit are frequent, and how many matches may have a rare value.
func (c *counted) likelyLeast(f field, limit int) (least, left uint32) {
	byID := func(a, b uint32) int { return int(a) - int(b) }
	known, likely := newLeaders(limit, byID), newLeaders(limit, byID)
	totals := c.hits.rows.totals[c.hits.rows.first[f]:c.hits.rows.first[f+1]]
	left = uint32(c.hits.count)
	for local, n := range c.of(f) {
		known.add(uint32(local), n)
		left -= n
	}
	if known.full() {
		least = known.least
	} else {
		for local, total := range totals {
			likely.add(uint32(local), total)
		}
		least = uint32(uint64(likely.least) * uint64(c.hits.count) / uint64(c.slots))
	}
	if !f.single() {
		left = none
	}
	return least, left
}
