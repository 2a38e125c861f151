// Command program passes two points three times.
package main

import (
	"fmt"

	"github.com/callwright/callwright/internal/failpoint"
)

func main() {
	for i := range 3 {
		failpoint.Hit(failpoint.AfterBYE)
		failpoint.Hit(failpoint.AfterACK)
		fmt.Println(i)
	}
}
