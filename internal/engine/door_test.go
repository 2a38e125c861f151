package engine

import (
	"sync"
	"testing"
	"time"
)

func TestDoor(t *testing.T) {
	d := door{most: 2}
	if d.enter() {
		t.Error("a door that is not open yet let somebody in")
	}
	d.open()
	for _, want := range []bool{true, true, false} {
		if d.enter() != want {
			t.Error("a door for two does not let in two")
		}
	}
	d.leave()
	if !d.enter() {
		t.Error("a place that was given back is not there")
	}
	empty := d.shut()
	if d.enter() || !d.isShut() {
		t.Error("a door that is shut let somebody in")
	}
	d.leave()
	select {
	case <-empty:
		t.Error("it says that all have left, and one has not")
	default:
	}
	if again := d.shut(); again != empty {
		t.Error("shutting twice forgets who waits")
	}
	d.leave()
	select {
	case <-empty:
	case <-time.After(time.Second):
		t.Error("nobody is told that all have left")
	}
	none := door{most: 1}
	<-none.shut()
}

func TestDoorCounts(t *testing.T) {
	d := door{most: 10}
	d.open()
	var all sync.WaitGroup
	var most, now int
	var mu sync.Mutex
	for range 200 {
		all.Go(func() {
			if !d.enter() {
				return
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			d.leave()
		})
	}
	all.Wait()
	<-d.shut()
	if most > 10 {
		t.Errorf("%d were inside at once", most)
	}
}
