package embedded

// mergeQueue is a binary heap over the sources of a merge; items[0] is the source whose head comes first.
type mergeQueue struct {
	items []int
	less  func(a, b int) bool
}

func (q *mergeQueue) init() {
	for i := len(q.items)/2 - 1; i >= 0; i-- {
		q.sink(i)
	}
}

// advance says that the first source's head was taken and whether the source has another.
func (q *mergeQueue) advance(more bool) {
	if !more {
		last := len(q.items) - 1
		q.items[0] = q.items[last]
		q.items = q.items[:last]
	}
	q.sink(0)
}

func (q *mergeQueue) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(q.items) {
			return
		}
		if right := child + 1; right < len(q.items) && q.less(q.items[right], q.items[child]) {
			child = right
		}
		if !q.less(q.items[child], q.items[i]) {
			return
		}
		q.items[i], q.items[child] = q.items[child], q.items[i]
		i = child
	}
}
