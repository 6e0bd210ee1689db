//go:build !linux && !darwin && !windows

package diskspace

import "errors"

func of(string) (Space, error) { return Space{}, errors.ErrUnsupported }
