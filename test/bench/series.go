package bench

import (
	"fmt"
	"slices"
)

// Series are the measurements of one thing, in the order in which they were made. None of its
// methods is for an empty one.
type Series []float64

// Median is the middle one, or half-way between the two in the middle.
func (s Series) Median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Over divides pair by pair.
func (s Series) Over(other Series) Series {
	ratios := make(Series, len(s))
	for i := range s {
		ratios[i] = s[i] / other[i]
	}
	return ratios
}

// Text is the median with the range in brackets, as in "0.58 s (0.55–0.61)". One measurement has no
// range.
func (s Series) Text(unit string) string {
	text := Number(s.Median())
	if unit != "" {
		text += " " + unit
	}
	if len(s) > 1 {
		text += fmt.Sprintf(" (%s–%s)", Number(slices.Min(s)), Number(slices.Max(s)))
	}
	return text
}

// Number has three digits that mean something, and all digits before the point.
func Number(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.01:
		return fmt.Sprintf("%.4f", x)
	case x < 1:
		return fmt.Sprintf("%.3f", x)
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}
