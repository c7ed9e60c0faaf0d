// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import "fmt"

// RegisterDevice registers a device for a user, who then owns it.
func (d *Directory) RegisterDevice(by By, owner ID, name, os string) (Device, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.userLocked(owner)
	if !ok || u.Deleted {
		return Device{}, nil, fmt.Errorf("register device: user %s: %w", owner, ErrNotFound)
	}
	if err := d.mayLocked(by, "register device", toManageDevice, owner); err != nil {
		return Device{}, nil, err
	}
	v := Device{ID: d.newIDLocked(), DeviceID: d.newIDLocked(), DisplayName: name, OS: os, Owner: owner, Enabled: true, Created: by.Time.UTC()}
	c := &Change{}
	replace(c, d.state.devices, v.ID, &v)
	e := entry{operation: "Add device.", category: "Device", target: deviceReference(&v), modified: updated(
		property{"AccountEnabled", "true", ""},
		property{"CloudDeviceOSType", quoted(os), ""},
		property{"CloudDisplayName", quoted(name), ""},
		property{"DeviceId", quoted(v.DeviceID.String()), ""},
		property{"DisplayName", quoted(name), ""},
	)}
	c.log(e, e.undone("Delete device."))
	tie := linked("Device.ObjectID", v.ID.String(), "Device.DisplayName", name)
	c.log(entry{operation: "Add registered owner to device.", category: "Device", target: userReference(&u), modified: tie}, entry{})
	c.log(entry{operation: "Add registered users to device.", category: "Device", target: userReference(&u), modified: tie}, entry{})
	d.writeLocked(by, c)
	return v, c, nil
}

// EnableDevice lets a device be used to sign in, or not.
func (d *Directory) EnableDevice(by By, id ID, enabled bool) (*Change, error) {
	return d.changeDevice(by, "enable device", id, func(v *Device, c *Change) error {
		if v.Enabled == enabled {
			return ErrConflict
		}
		v.Enabled = enabled
		e := entry{operation: "Update device.", category: "Device", target: deviceReference(v), modified: updated(property{"AccountEnabled", fmt.Sprint(enabled), fmt.Sprint(!enabled)})}
		c.log(e, e.undone(e.operation))
		return nil
	})
}

// DeleteDevice removes a device.
func (d *Directory) DeleteDevice(by By, id ID) (*Change, error) {
	return d.changeDevice(by, "delete device", id, func(v *Device, c *Change) error {
		v.Deleted = true
		e := entry{operation: "Delete device.", category: "Device", target: deviceReference(v)}
		c.log(e, entry{operation: "Restore device.", category: e.category, target: e.target})
		return nil
	})
}

func (d *Directory) changeDevice(by By, what string, id ID, f func(v *Device, c *Change) error) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.state.devices[id]
	if v == nil || v.Deleted {
		return nil, fmt.Errorf("%s: %s: %w", what, id, ErrNotFound)
	}
	if err := d.mayLocked(by, what, toManageDevice); err != nil {
		return nil, err
	}
	n, c := *v, &Change{}
	if err := f(&n, c); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", what, v.DisplayName, err)
	}
	replace(c, d.state.devices, id, &n)
	d.writeLocked(by, c)
	return c, nil
}

func deviceReference(v *Device) reference {
	return reference{kind: "Device", id: v.ID, name: v.DisplayName}
}
