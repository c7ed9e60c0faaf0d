// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

// life is the mix: what part of all records a stream has, what part of them
// comes from machines whatever the hour, and what the records are. Weights are
// parts of the stream's records of people or of machines.
var life = [len(Streams)]struct {
	share, machines float64
	human, auto     deck
}{
	AzureActiveDirectory: {share: .15, machines: .12, human: entraPeople, auto: entraMachines},
	Exchange:             {share: .28, machines: .10, human: exchangePeople, auto: exchangeMachines},
	SharePoint:           {share: .40, machines: .08, human: sharePointPeople, auto: sharePointMachines},
	General:              {share: .16, machines: .06, human: generalPeople, auto: generalMachines},
	DLP:                  {share: .01, machines: .10, human: dlpPeople, auto: dlpMachines},
}
