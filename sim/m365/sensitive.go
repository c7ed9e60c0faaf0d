// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// sensitiveTypes are the names of what the simulated tenant's policies look for.
var sensitiveTypes = []string{"CreditCardNumber", "InternationalBankingAccountNumber", "NationalIdentityNumber", "PassportNumber", "DriversLicenseNumber", "HealthRecordNumber"}

var language = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

// handleSensitiveTypes names the types of sensitive information. It knows one
// language, and checks what it is asked for as the service does.
func (s *Server) handleSensitiveTypes(w http.ResponseWriter, r *http.Request, c call) *refusal {
	if wanted := r.Header.Get("Accept-Language"); strings.Contains(wanted, ",") {
		return refuse("AF20053")
	} else if wanted != "" && !language.MatchString(wanted) {
		return refuse("AF20054")
	}
	type sensitive struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	list := make([]sensitive, len(sensitiveTypes))
	for i, name := range sensitiveTypes {
		list[i] = sensitive{record.Hash(s.seed, idSensitive, uint64(i)).String(), name}
	}
	s.answer(w, r, c, list)
	return nil
}
