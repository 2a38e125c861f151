package speech

// products sets each out[i] to the product of the i-th row of w with x. Rows are
// as long as x; four at a time share what is loaded of it.
func products(out, w, x []float32) {
	n := len(x)
	i := 0
	for ; i+4 <= len(out); i += 4 {
		a, b, c, d := w[i*n:][:n], w[(i+1)*n:][:n], w[(i+2)*n:][:n], w[(i+3)*n:][:n]
		var sa, sb, sc, sd float32
		for k, v := range x {
			sa += a[k] * v
			sb += b[k] * v
			sc += c[k] * v
			sd += d[k] * v
		}
		out[i], out[i+1], out[i+2], out[i+3] = sa, sb, sc, sd
	}
	for ; i < len(out); i++ {
		var sum float32
		for k, v := range w[i*n:][:n] {
			sum += v * x[k]
		}
		out[i] = sum
	}
}
