package list

import (
	"slices"
	"sync"

	"github.com/opencapi/capi/internal/company"
)

// setCache holds the companies of the lists that were read last, the latest first. The zero cache is empty.
type setCache struct {
	mu     sync.Mutex
	recent []cachedSet
}

type cachedSet struct {
	list      List
	companies company.Set
}

// cachedSetsMax bounds the memory: a list of a million companies takes about a megabyte.
const cachedSetsMax = 64

// get returns the companies of the list as it was read from the database.
func (c *setCache) get(l List) (company.Set, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.recent, func(one cachedSet) bool { return one.list.ID == l.ID })
	if i < 0 || c.recent[i].list.Version != l.Version {
		return company.Set{}, false
	}
	one := c.recent[i]
	copy(c.recent[1:], c.recent[:i])
	c.recent[0] = one
	return one.companies, true
}

func (c *setCache) put(l List, companies company.Set) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = slices.DeleteFunc(c.recent, func(one cachedSet) bool { return one.list.ID == l.ID })
	c.recent = slices.Insert(c.recent, 0, cachedSet{l, companies})
	c.recent = c.recent[:min(len(c.recent), cachedSetsMax)]
}
