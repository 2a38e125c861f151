package provider

// DismissWorkers ends the workers of all engines.
func DismissWorkers() {
	workshops.Range(func(_, shop any) bool {
		if w, ours := shop.(*workshop); ours {
			w.close()
		}
		return true
	})
}
