package embedded

import (
	"encoding/binary"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// bands returns the field's bands that have a match, in ascending order.
func bands(all []partCounts, f field, bounds func(key string) (low, high *int64)) []index.Band {
	counts, owned := map[string]uint32{}, map[string]uint32{}
	for i := range all {
		for local, n := range all[i].field(f) {
			if n > 0 {
				key := string(all[i].values[f].key(local))
				counts[key] += n
				owned[key] += all[i].ownedOf(f, uint32(local))
			}
		}
	}
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	list := make([]index.Band, len(keys))
	for i, key := range keys {
		low, high := bounds(key)
		list[i] = index.Band{Min: low, Max: high, Count: int(counts[key]), Owned: int(owned[key])}
	}
	return list
}

// bandBounds returns the bounds of a band of employee counts, both inclusive. Zero employees belong to the first band.
func bandBounds(key string) (low, high *int64) {
	i := int(key[0] - '0')
	first := int64(0)
	if i > 0 {
		first = bandMaxima[i-1] + 1
	}
	if i == len(bandMaxima) {
		return &first, nil
	}
	last := bandMaxima[i]
	return &first, &last
}

func decadeBounds(key string) (low, high *int64) {
	first := decadeOf(key)
	last := first + 9
	return &first, &last
}

var bandMaxima = company.EmployeeBandMaxima

// bandKeys are the bands' keys in a dict.
var bandKeys = func() (keys [len(bandMaxima) + 1]string) {
	for i := range keys {
		keys[i] = string(rune('0' + i))
	}
	return keys
}()

func bandOf(employees int64) int {
	for i, end := range bandMaxima {
		if employees <= end {
			return i
		}
	}
	return len(bandMaxima)
}

// decadeKey returns a decade's key in a dict: its first year, encoded so that keys sort like years.
func decadeKey(year int64) string {
	first := year - (year%10+10)%10
	return string(binary.BigEndian.AppendUint64(nil, uint64(first)^1<<63))
}

func decadeOf(key string) int64 { return int64(binary.BigEndian.Uint64([]byte(key)) ^ 1<<63) }
