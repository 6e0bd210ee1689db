package embedded

// smallest gives the places of the k smallest keys, by key, then place; of all keys if they are fewer.
// It finds the k-th key by counting its halves and sorts what is not above it by digits (LSD radix sort, Seward 1954), in
// time linear in the number of keys.
func smallest(keys []uint32, k int) []uint32 {
	if k <= 0 || len(keys) == 0 {
		return nil
	}
	k = min(k, len(keys))
	kth, equal := kthOf(keys, k)
	pairs := make([]uint64, 0, 2*k) // key, place; the second half is room for sorting
	for place, key := range keys {
		switch {
		case key > kth:
		case key < kth:
			pairs = append(pairs, uint64(key)<<32|uint64(place))
		case equal > 0:
			equal--
			pairs = append(pairs, uint64(key)<<32|uint64(place))
		}
	}
	places := make([]uint32, k)
	for i, pair := range sortByKey(pairs, pairs[k:2*k]) {
		places[i] = uint32(pair)
	}
	return places
}

// kthOf is the k-th smallest key, and how many of that key are among the k smallest.
func kthOf(keys []uint32, k int) (kth uint32, equal int) {
	t := tallies.Get().(*tally)
	defer tallies.Put(t)
	defer clear(t[:])
	for _, key := range keys {
		t[key>>16]++
	}
	high, left := t.reach(k)
	clear(t[:])
	for _, key := range keys {
		if key>>16 == high {
			t[uint16(key)]++
		}
	}
	low, left := t.reach(left)
	return high<<16 | low, left
}

// reach is the counter with which the counts from the first on come to k, and what is missing to k before it.
func (t *tally) reach(k int) (at uint32, left int) {
	left = k
	for int(t[at]) < left {
		left -= int(t[at])
		at++
	}
	return at, left
}

// sortByKey sorts pairs by their upper halves and keeps the order of equal ones; room is as long.
func sortByKey(pairs, room []uint64) []uint64 {
	const digit = 11
	for shift := 32; shift < 64; shift += digit {
		var starts [1 << digit]uint32
		for _, p := range pairs {
			starts[p>>shift&(1<<digit-1)]++
		}
		sum := uint32(0)
		for i, n := range starts {
			starts[i], sum = sum, sum+n
		}
		for _, p := range pairs {
			d := p >> shift & (1<<digit - 1)
			room[starts[d]] = p
			starts[d]++
		}
		pairs, room = room, pairs
	}
	return pairs
}
