package handlers

import (
	"reflect"
	"testing"
)

// A revert's row is read as the promotion that it is, too (see remembered). A
// field of its own that had the name of one of a promotion would hide that one
// in JSON, or be read as it.
func TestRevertHidesNothing(t *testing.T) {
	inner := reflect.TypeFor[promotion]()
	for f := range reflect.TypeFor[reversion]().Fields() {
		if f.Anonymous {
			continue
		}
		if _, is := inner.FieldByName(f.Name); is {
			t.Errorf("a promotion has %s, too", f.Name)
		}
	}
}
