package row

import (
	"reflect"
	"slices"

	"github.com/uptrace/bun"
)

// texted is a value that is compared as the text that it is kept as: maps and
// lists in it may have been changed in place since.
type texted interface {
	kept() string
	keep() (string, error)
}

// Difference returns the columns that are not fixed in which now is not what
// before was when the database gave it. Both are rows of the same table, with
// columns that can be compared or are JSON. now can be the before of another
// difference later.
func Difference[R any](db bun.IDB, before, now *R, fixed []string) ([]string, error) {
	var columns []string
	was, is := reflect.ValueOf(before).Elem(), reflect.ValueOf(now).Elem()
	for _, f := range db.Dialect().Tables().Get(is.Type()).Fields {
		if slices.Contains(fixed, f.Name) {
			continue
		}
		a, b := was.FieldByIndex(f.Index), is.FieldByIndex(f.Index)
		old, ok := a.Addr().Interface().(texted)
		fresh, too := b.Addr().Interface().(texted)
		if !ok || !too {
			if !a.Equal(b) {
				columns = append(columns, f.Name)
			}
			continue
		}
		text, err := fresh.keep()
		if err != nil {
			return nil, err
		}
		if text != old.kept() {
			columns = append(columns, f.Name)
		}
	}
	return columns, nil
}

// kept is the text that was read or written last, "" before.
func (j *JSON[T]) kept() string { return j.text }

// keep encodes the value and notes its text.
func (j *JSON[T]) keep() (string, error) {
	v, err := j.Value()
	if err == nil {
		j.text, _ = v.(string) // Value gives no other
	}
	return j.text, err
}
