// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// recordType is one member of Microsoft's enumeration AuditLogRecordType.
type recordType struct {
	name string
	rule rule // for operations that have no rule of their own
	// whole is set where operations are so many that a new one is no news.
	whole bool
}

// recordTypes are the record types of the Office 365 Management Activity API's
// schema (MicrosoftDocs/office-365-management-api:
// office-365-management-api/office-365-management-activity-api-schema.md), and
// where that has no name for a number, of auditLogRecordType in the metadata of
// Microsoft Graph (microsoftgraph/msgraph-metadata: schemas/v1.0-Prod.csdl).
var recordTypes = typeTable([]typeRow{
	// Entra ID, the directory.
	{rule{ocsf.ClassEntityManagement, byVerb, targetEntraEntity, ""}, false, "8:AzureActiveDirectory"},
	// PowerShell.
	{rule{ocsf.ClassEntityManagement, byVerb, targetCmdlet, ""}, false, "1:ExchangeAdmin 10:DataCenterSecurityCmdlet 18:SecurityComplianceCenterEOPCmdlet 23:SkypeForBusinessCmdlets"},
	// Mailboxes.
	{rule{ocsf.ClassDatastoreActivity, byVerb, targetMailbox, ""}, false, "2:ExchangeItem 3:ExchangeItemGroup 19:ExchangeAggregatedOperation 50:ExchangeItemAggregated"},
	// Sign-ins.
	{rule{ocsf.ClassAuthentication, authLogon, targetService, ""}, false, "9:AzureActiveDirectoryAccountLogon 15:AzureActiveDirectoryStsLogon 275:OWAAuth"},
	// Files.
	{rule{ocsf.ClassFileHosting, byVerb, targetFile, ""}, false, "6:SharePointFileOperation 7:OneDrive 37:SharePointCommentOperation"},
	// Sites, lists and sharing.
	{rule{ocsf.ClassWebResourcesActivity, byVerb, targetSite, ""}, false, "4:SharePoint 14:SharePointSharingOperation 36:SharePointListOperation 54:SharePointListItemOperation 55:SharePointContentTypeOperation " +
		"56:SharePointFieldOperation 205:SharePointAppPermissionOperation 277:SharePointESignature 336:SharePointContentSecurityPolicy"},
	// Mail with a label or encrypted.
	{rule{ocsf.ClassEmailActivity, other, targetLabeledMail, ""}, false, "43:MIPLabel 154:OMEPortal"},
	// Labels and protection of files.
	{rule{ocsf.ClassFileHosting, byVerb, targetFile, ""}, false, "71:MipAutoLabelSharePointItem 75:MipAutoLabelExchangeItem 82:SensitivityLabelPolicyMatch 83:SensitivityLabelAction " +
		"84:SensitivityLabeledFileAction 206:MicrosoftTeamsSensitivityLabelAction 378:VivaAmplifyOutlookSensitivityLabel"},
	// The Purview Information Protection client: the record type says what was done.
	{rule{ocsf.ClassFileHosting, byVerb, targetFile, ""}, true, "93:AipDiscover 94:AipSensitivityLabelAction 95:AipProtectionAction 96:AipFileDeleted"},
	// Queries of the security and compliance portals, named after the query.
	{rule{ocsf.ClassAPIActivity, byVerb, targetResource, ""}, true, "52:DataInsightsRestApiAudit 97:AipHeartBeat"},
	// Threats.
	{rule{ocsf.ClassDetectionFinding, byVerb, targetThreat, ""}, false, "28:ThreatIntelligence 29:MailSubmission 34:ThreatFinder 41:ThreatIntelligenceUrl 47:ThreatIntelligenceAtpContent 51:HygieneEvent 62:Campaign " +
		"64:AirInvestigation 78:WDATPAlerts 86:AirManualInvestigation 89:AirAdminActionInvestigation 98:MCASAlerts 113:MS365DCustomDetection " +
		"115:MAPGAlerts 166:Alert 167:AlertStatus 168:AlertIncident 169:IncidentStatus 232:MS365DIncident 305:IRMSecurityAlert " +
		"307:PurviewInsiderRiskAlerts 360:NoisyAlertPolicy"},
	// Risk detections: whatever the operation, a risk was found.
	{rule{ocsf.ClassDetectionFinding, findingCreate, targetRisk, ""}, true, "294:AadRiskDetection"},
	// Alerts.
	{rule{ocsf.ClassDetectionFinding, byVerb, targetAlert, ""}, false, "40:SecurityComplianceAlerts"},
	// Data loss prevention.
	{rule{ocsf.ClassDataSecurityFinding, byVerb, targetDLP, ""}, false, "11:ComplianceDLPSharePoint 13:ComplianceDLPExchange 33:ComplianceDLPSharePointClassification 61:InformationWorkerProtection 63:DLPEndpoint " +
		"99:OnPremisesFileShareScannerDlp 100:OnPremisesSharePointScannerDlp 107:ComplianceDLPExchangeClassification 108:ComplianceDLPEndpoint " +
		"109:MipExactDataMatch 123:DlpSensitiveInformationType 127:CDPMlInferencingResult 144:PowerBIDlp 175:CdpDlpSensitive " +
		"215:MDADataSecuritySignal 234:ComplianceDLPSharePointClassificationExtended 263:ComplianceDLPApplications " +
		"270:CdpComplianceDLPExchangeClassification 271:CdpComplianceDLPSharePointClassification 276:ComplianceDLPApplicationsClassification " +
		"289:ComplianceDLPExchangeDiscovery 291:SensitiveInfoDiscovered 410:ComplianceDLPEnforcement"},
	// Applications whose things have an address: Power BI, Viva, Planner, Forms, ….
	{rule{ocsf.ClassWebResourcesActivity, byVerb, targetSite, ""}, false, "12:Sway 20:PowerBIAudit 22:VivaEngage 32:MicrosoftStream 35:Project 44:VivaInsights 66:MicrosoftForms 70:OfficeNative 76:CortanaBriefing " +
		"105:MyAnalyticsSettings 186:PowerPagesSite 188:PlannerPlan 189:PlannerCopyPlan 190:PlannerTask 191:PlannerRoster 192:PlannerPlanList " +
		"193:PlannerTaskList 194:PlannerTenantSettings 195:ProjectForThewebProject 196:ProjectForThewebTask 197:ProjectForThewebRoadmap " +
		"198:ProjectForThewebRoadmapItem 199:ProjectForThewebProjectSettings 200:ProjectForThewebRoadmapSettings 202:MicrosoftTodoAudit 216:VivaGoals " +
		"230:TeamsUpdates 231:PlannerRosterSensitivityLabel 265:VivaLearning 266:VivaLearningAdmin 278:Dynamics365BusinessCentral 279:MeshWorlds " +
		"280:VivaPulseResponse 281:VivaPulseOrganizer 282:VivaPulseAdmin 283:VivaPulseReport 287:ProjectForThewebAssignedToMeSettings " +
		"346:VivaGlintAdvancedConfiguration 347:VivaGlintPulseProgram 348:VivaGlintPulseProgramRespondentRate 349:VivaGlintQuestion 350:VivaGlintRole " +
		"351:VivaGlintRubicon 352:VivaGlintSupportAccess 353:VivaGlintSystem 354:VivaGlintUser 355:VivaGlintUserGroup 356:VivaGlintFeedbackProgram " +
		"357:FabricAudit 364:PlacesDirectory 374:VivaEngageNetworkAssociation 386:PlannerGoal 387:PlannerGoalList 392:PlannerGoal 393:PlannerGoalList " +
		"401:PlannerChatMessage 402:PlannerChatMessageList 414:VivaEngageSegment 418:PlannerPlanSensitivityLabel 422:VivaEngageEvents " +
		"424:VivaEngageEvents 428:YammerUserHiding 447:VivaGlintOrganizationalData 463:VivaGlintAgenticCampaign"},
	// Things that administrators keep: cases, policies, settings, apps, flows.
	{rule{ocsf.ClassEntityManagement, byVerb, targetEntity, ""}, false, "24:Discovery 30:MicrosoftFlow 31:AeD 45:PowerAppsApp 46:PowerAppsPlan 53:InformationBarrierPolicyApplication 57:MicrosoftTeamsAdmin " +
		"69:CustomerKeyServiceEncryption 79:PowerAppsResource 80:PowerPlatformAdminEnvironment 81:MDATPAudit 87:SecurityComplianceRBAC " +
		"106:SecurityComplianceUserChange 110:MSDEResponseActions 111:MSDEGeneralSettings 112:MSDEIndicatorsSettings 114:MSDERolesSettings " +
		"126:Microsoft365Group 134:TenantAllowBlockList 147:CoreReportingSettings 148:ComplianceConnector " +
		"149:PowerPlatformLockboxResourceAccessRequest 150:PowerPlatformLockboxResourceCommand 155:CMImprovementActionChange " +
		"163:PowerPlatformServiceActivity 170:Case 171:CaseInvestigation 172:RecordsManagement 187:PowerPlatformAdminDlp 218:AttackSimAdmin " +
		"225:UpdateQuarantineMetadata 226:MS365DSuppressionRule 227:PurviewDataMapOperation 233:FilteringDelistingMetadata " +
		"237:DefenderExpertsforXDRAdmin 250:MAPGOnboard 251:VfamCreatePolicy 252:VfamUpdatePolicy 253:VfamDeletePolicy " +
		"256:PowerPlatformAdministratorActivity 257:Windows365CustomerLockbox 267:PurviewPolicyOperation 268:PurviewMetadataPolicyOperation " +
		"269:PeopleAdminSettings 288:CloudPolicyService 296:AuditRetentionPolicy 297:AuditConfig 298:BackupPolicy 299:RestoreTask 300:RestoreItem " +
		"301:BackupItem 302:URBACAssignment 303:URBACRole 304:URBACEnableState 306:PurviewInsiderRiskCases 308:InsiderRiskScopedUsers " +
		"310:CreateCopilotPlugin 311:UpdateCopilotPlugin 312:DeleteCopilotPlugin 313:EnableCopilotPlugin 314:DisableCopilotPlugin " +
		"315:CreateCopilotWorkspace 316:UpdateCopilotWorkspace 317:DeleteCopilotWorkspace 318:EnableCopilotWorkspace 319:DisableCopilotWorkspace " +
		"320:CreateCopilotPromptBook 321:UpdateCopilotPromptBook 322:DeleteCopilotPromptBook 323:EnableCopilotPromptBook 324:DisableCopilotPromptBook " +
		"325:UpdateCopilotSettings 332:ComplianceSettingsChange 337:CloudUpdateProfileConfig 338:CloudUpdateTenantConfig 339:CloudUpdateDeviceConfig " +
		"340:DefenderPreviewFeatures 341:DeviceDiscoverySettingsExclusion 342:DeviceDiscoverySettingsAuthenticatedScans " +
		"343:CriticalAssetManagementClassification 344:DeviceDiscoverySettings 345:USXWorkspaceOnboarding 365:SentinelNotebookOnLake 366:SentinelJob " +
		"368:SentinelLakeOnboarding 369:SentinelLakeDataOnboarding 370:SentinelAITool 372:CrossTenantAccessPolicy 375:AppAdminActivity " +
		"376:AppSettingsAdminActivity 384:CopilotAgentManagement 397:AgentAdminActivity 399:AgentSettingsAdminActivity 427:UniversalPrintManagement " +
		"431:GranularBrowseTask 437:PowerPlatformTenantIsolation"},
	// Everything else.
	{rule{ocsf.ClassAPIActivity, byVerb, targetResource, ""}, false, "5:SyntheticProbe 16:SkypeForBusinessPSTNUsage 17:SkypeForBusinessUsersBlocked 21:CRM 25:MicrosoftTeams 38:DataGovernance 39:Kaizala " +
		"42:SecurityComplianceInsights 48:LabelContentExplorer 49:TeamsHealthcare 58:HRSignal 59:MicrosoftTeamsDevice 60:MicrosoftTeamsAnalytics " +
		"65:Quarantine 67:ApplicationAudit 68:ComplianceSupervisionExchange 72:MipAutoLabelSharePointPolicyLocation 73:MicrosoftTeamsShifts " +
		"74:SecureScore 77:Search 85:AttackSim 88:UserTraining 90:MSTIC 91:PhysicalBadgingSignal 92:TeamsEasyApprovals 101:ExchangeSearch " +
		"102:SharePointSearch 103:PrivacyInsights 104:LabelAnalyticsAggregate 116:MAPGPolicy 117:MAPGRemediation 118:PrivacyRemediationAction " +
		"119:PrivacyDigestEmail 120:MipAutoLabelSimulationProgress 121:MipAutoLabelSimulationCompletion 122:MipAutoLabelProgressFeedback " +
		"124:MipAutoLabelSimulationStatistics 125:LargeContentMetadata 128:FilteringMailMetadata 129:CDPClassificationMailItem " +
		"130:CDPClassificationDocument 131:OfficeScriptsRunAction 132:FilteringPostMailDeliveryAction 133:CDPUnifiedFeedback 135:ConsumptionResource " +
		"136:HealthcareSignal 138:DlpImportResult 139:CDPCompliancePolicyExecution 140:MultiStageDisposition 141:PrivacyDataMatch " +
		"142:FilteringDocMetadata 143:FilteringEmailFeatures 145:FilteringUrlInfo 146:FilteringAttachmentInfo 151:CDPPredictiveCodingLabel " +
		"152:CDPCompliancePolicyUserFeedback 153:WebpageActivityEndpoint 156:FilteringUrlClick 157:MipLabelAnalyticsAuditRecord " +
		"158:FilteringEntityEvent 159:FilteringRuleHits 160:FilteringMailSubmission 161:LabelExplorer 162:MicrosoftManagedServicePlatform " +
		"164:ScorePlatformGenericAuditRecord 165:FilteringTimeTravelDocMetadata 173:PrivacyRemediation 174:DataShareOperation 176:EHRConnector " +
		"177:FilteringMailGradingResult 178:PublicFolder 179:PrivacyTenantAuditHistoryRecord 180:AipScannerDiscoverEvent " +
		"181:EduDataLakeDownloadOperation 182:M365ComplianceConnector 183:MicrosoftGraphDataConnectOperation 184:MicrosoftPurview " +
		"185:FilteringEmailContentFeatures 201:QuarantineMetadata 203:TimeTravelFilteringDocMetadata 204:TeamsQuarantineMetadata " +
		"207:FilteringTeamsMetadata 208:FilteringTeamsUrlInfo 209:FilteringTeamsPostDeliveryAction 210:MDCAssessments " +
		"211:MDCRegulatoryComplianceStandards 212:MDCRegulatoryComplianceControls 213:MDCRegulatoryComplianceAssessments 214:MDCSecurityConnectors " +
		"217:MicrosoftGraphDataConnectConsent 219:MicrosoftGraphDataConnectConsent 220:FilteringAtpDetonationInfo 221:PrivacyPortal " +
		"222:ManagedTenants 223:UnifiedSimulationMatchedItem 224:UnifiedSimulationSummary 228:FilteringUrlPostClickAction " +
		"229:IrmUserDefinedDetectionSignal 235:MicrosoftDefenderForIdentityAudit 236:SupervisoryReviewDayXInsight 238:CDPEdgeBlockedMessage " +
		"239:HostedRpa 240:CdpContentExplorerAggregateRecord 241:CDPHygieneAttachmentInfo 242:CDPHygieneSummary 243:CDPPostMailDeliveryAction " +
		"244:CDPEmailFeatures 245:CDPHygieneUrlInfo 246:CDPUrlClick 247:CDPPackageManagerHygieneEvent 248:FilteringDocScan " +
		"249:TimeTravelFilteringDocScan 254:M365DAAD 255:CdpColdCrawlStatus 258:CdpResourceScopeChangeEvent 259:ComplianceCCExchangeExecutionResult " +
		"260:CdpOcrCostEstimatorRecord 261:CopilotInteraction 262:CdpOcrBillingRecord 264:UAMOperation 272:FilteringBulkSenderInsightData " +
		"273:FilteringBulkThresholdInsightData 274:PrivacyOpenAccess 284:AIAppInteraction 285:ComplianceDLMExchange 286:ComplianceDLMSharePoint " +
		"290:PurviewMCRecommendation 292:InsiderRiskScopedUserInsights 293:MicrosoftTeamsRetentionLabelAction 295:AuditSearch " +
		"309:CdpConsumptionResource 326:P4AIAssessmentRecord 327:P4AIAssessmentLocationResultRecord 328:ConnectedAIAppInteraction " +
		"329:PrivaPrivacyConsentOperation 330:PrivaPrivacyAssessmentOperation 331:DataCatalogAccessRequests 333:DataSecurityInvestigation " +
		"334:TeamCopilotInteraction 335:IRMActivityAuditTrail 358:TrainableClassifier 359:WebContentFiltering 361:DataScanClassification " +
		"362:AIInteractionsExport 363:Microsoft365CopilotScheduledPrompt 367:SentinelKQLOnLake 371:SentinelGraph 373:OutlookCopilotAutomation " +
		"377:UniversalPrintPrintJob 379:AIInteractionsSubscription 380:AIInteractionsChangeNotification 381:FilteringMailMetadataExtended " +
		"382:OfficeRestrictedModeAction 383:CopilotForSecurityTrigger 385:P4AIAssessmentFabricScannerRecord 388:OfficeRestrictedModeAction " +
		"389:CopilotForSecurityTrigger 390:CopilotAgentManagement 391:P4AIAssessmentFabricScannerRecord 394:ThreatIntelligenceObject " +
		"395:ThreatIntelligenceExport 396:SubmissionAgenticGradingResult 398:DeployFeatureActivity 400:OrganizationalDataInM365 403:SentinelAITool " +
		"404:M365ODSPAssetMetadata 405:AIExecuteTool 406:AIInvokeAgent 407:AIInferenceCall 408:CdpClassifierHealthRecord " +
		"409:SensitiveInfoRemediationAgentData 411:A365AIExecuteTool 412:A365AIInvokeAgent 413:A365AIInferenceCall 415:RTIOperationsAgent " +
		"416:ContentStoreMetadata 417:CCRAIPolicyViolation 419:MosAgentInfoRecord 420:A365AIRunSummary 421:UnifiedCatalogConceptAction " +
		"423:CopilotForSecurityLogging 425:CallActivityEvent 426:SonarDetonationContentMetadata 429:Microsoft365BackupGranularBrowseTask " +
		"430:PurviewPostureAgent 432:SCPUsageEvent 433:SCPConfigurationEvent 434:MDCConfigurationEvent 435:MDCUsageEvent 436:A365SpanOutputs " +
		"438:CDPDLMAIInteractionInsights 439:P4AIAssessmentCategoryRecord 440:SentinelLakeEncryption 441:AZFWNetworkRule 442:AZFWDnsQuery " +
		"443:AZFWApplicationRuleAggregation 444:TeamsEvalDataHubDataAccess 445:TeamsEvalDataHubPermissionChange 446:TeamsEvalDataHubAdminOperation " +
		"448:AlertSubmission 449:AlertSubmissionResultDetail 450:ComplianceSitGradingSharePoint 451:CompliancePolicyGradingSharePoint " +
		"452:AzureAISearchAudit 453:P4AIRiskScoreRecord 454:DragonCopilotAdmin 455:AISpanOutputs 456:EopSubmissionFeedEntity " +
		"457:SonarFileDetonationEntity 458:SonarSubmissionEntity 459:SonarUrlDetonationEntity 460:SubmissionEntity 461:SonarDetonationEntity " +
		"462:MicrosoftTeamsUserConcern 464:MSPVectorSearchContentMetadata 465:FabricPolicy 466:SecurityCopilotAgentIdentityManagement " +
		"467:CopilotSessionSharing 468:DragonCopilotAccess 469:DragonCopilotClinicalData 470:DragonCopilotSession 471:MosAgentInfoRecordV2 " +
		"472:SecurityDevelopmentLifecycleAILog 473:MDASH 474:DefenderSecurityForAIConfiguration 475:SparkCoreCustomLivePool"},
})

// typeRow is a rule and the record types that it is for, as "number:name" with
// blanks between.
type typeRow struct {
	rule  rule
	whole bool
	types string
}

func typeTable(rows []typeRow) map[int64]recordType {
	m := make(map[int64]recordType)
	for _, row := range rows {
		for _, t := range strings.Fields(row.types) {
			number, name, _ := strings.Cut(t, ":")
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil {
				panic("m365: record type " + t) // a mistake in the table above
			}
			m[n] = recordType{name, row.rule, row.whole}
		}
	}
	return m
}
