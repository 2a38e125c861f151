package blob_test

import (
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

func TestDelete(t *testing.T) {
	disk, _ := newDisk(t)
	file, name, err := disk.Create(t.Context(), domain.NewID())
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{name, name, "../etc/passwd", "", "2026/01"} {
		if err := disk.Delete(t.Context(), n); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
	if _, err := disk.Open(t.Context(), name); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("it is still there: %v", err)
	}
}
