// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package record

// Pair is an element of the lists in which a record keeps what has no member of its own: ExtendedProperties,
// DeviceProperties, ModifiedProperties. Typed is one of Actor and Target. Both are for those who read records.
type (
	Pair  struct{ Name, Value, NewValue, OldValue string }
	Typed struct {
		ID   string
		Type int
	}
)

// Value is that of the first element of a name.
func Value(list []Pair, name string) string {
	for i := range list {
		if list[i].Name == name {
			return list[i].Value
		}
	}
	return ""
}

// Modified is what a property is or was: one of them is empty where something is added or removed.
func Modified(list []Pair, name string) string {
	for i := range list {
		if list[i].Name == name {
			return list[i].NewValue + list[i].OldValue
		}
	}
	return ""
}

// Of is the id of the first element of a type; that of type 5 is a mail address, that of type 1 a name.
func Of(list []Typed, kind int) string {
	for _, t := range list {
		if t.Type == kind {
			return t.ID
		}
	}
	return ""
}
