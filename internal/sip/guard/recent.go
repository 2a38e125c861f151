package guard

import "container/list"

// recent is a table of bounded size that forgets what was used longest ago.
type recent[K comparable, V any] struct {
	most  int
	order *list.List // of *entry[K, V], latest first
	by    map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{most: most, order: list.New(), by: map[K]*list.Element{}}
}

// get returns the value of a key and marks it as used.
func (r *recent[K, V]) get(key K) (value V, ok bool) {
	e := r.by[key]
	if e == nil {
		return value, false
	}
	r.order.MoveToFront(e)
	at, ok := e.Value.(*entry[K, V])
	return at.value, ok
}

// put adds a key that is not there, and returns the value that it took the
// place of, if the table was full.
func (r *recent[K, V]) put(key K, value V) (forgotten V, full bool) {
	if r.order.Len() >= r.most {
		if last, ok := r.order.Remove(r.order.Back()).(*entry[K, V]); ok {
			delete(r.by, last.key)
			forgotten, full = last.value, true
		}
	}
	r.by[key] = r.order.PushFront(&entry[K, V]{key, value})
	return forgotten, full
}
