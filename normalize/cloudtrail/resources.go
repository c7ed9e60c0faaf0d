// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// maxResources bounds the resources of one event; all are in the request.
const maxResources = 32

// resources are what a request was about: those that CloudTrail lists, and else
// those that the request or its answer names.
func resources(f *facts, record jsontape.Value, e *ocsf.Event) {
	n := 0
	for v := record.Get("resources").First(); v.Exists() && n < maxResources; v = v.Next() {
		arn := either(v, "ARN", "arn", "ARNPrefix", "resourceName")
		if len(arn) == 0 {
			continue
		}
		e.AddString(ocsf.PathResourcesUID, n, arn)
		e.AddString(ocsf.PathResourcesName, n, last(arn))
		e.AddString(ocsf.PathResourcesType, n, either(v, "type", "resourceType"))
		n++
	}
	for _, from := range [...]jsontape.Value{f.request, f.response} {
		if n > 0 {
			return
		}
		n = named(from, n, e)
	}
}

// named adds the resources that an object's members name, those of the objects in
// it ({"vpc":{"vpcId":…}}) and of the sets ({"instancesSet":{"items":[…]}}).
func named(object jsontape.Value, n int, e *ocsf.Event) int {
	for v := object.First(); v.Exists() && n < maxResources; v = v.Next() {
		kind, known := kinds[string(v.Key())]
		switch {
		case v.Kind() == jsontape.Object:
			n = inner(v, n, e)
			for item := v.Get("items").First(); item.Exists(); item = item.Next() {
				n = inner(item, n, e)
			}
		case known && v.Kind() == jsontape.Array:
			for one := v.First(); one.Exists() && n < maxResources; one = one.Next() {
				n = resource(one, kind, n, e)
			}
		case known && !members.Blank(v):
			n = resource(v, kind, n, e)
		}
	}
	return n
}

// inner adds what the members of an object in an object name. A mere name there
// is that of something else.
func inner(object jsontape.Value, n int, e *ocsf.Event) int {
	for v := object.First(); v.Exists() && n < maxResources; v = v.Next() {
		if kind := kinds[string(v.Key())]; kind != "" && v.Kind() == jsontape.String {
			n = resource(v, kind, n, e)
		}
	}
	return n
}

func resource(v jsontape.Value, kind string, n int, e *ocsf.Event) int {
	id := v.Str()
	if len(id) == 0 {
		return n
	}
	if len(id) > 4 && string(id[:4]) == "arn:" {
		e.AddString(ocsf.PathResourcesUID, n, id)
		id = last(id)
	}
	e.AddString(ocsf.PathResourcesName, n, id)
	e.AddText(ocsf.PathResourcesType, n, kind)
	return n + 1
}

// kinds are the members of requests that name a resource, and its type by the
// name that CloudFormation has for it; none where any service has it.
var kinds = map[string]string{
	"name": "", "names": "", "sessionId": "AWS::SSM::Session", "commandId": "AWS::SSM::Command", "attachmentId": "AWS::EC2::NetworkInterfaceAttachment", "associationId": "AWS::EC2::SubnetRouteTableAssociation", "projectArn": "AWS::CodeBuild::Project",
	"dashboardName": "AWS::CloudWatch::Dashboard", "insightArn": "AWS::SecurityHub::Insight", "certificateId": "AWS::IAM::SigningCertificate", "queueName": "AWS::SQS::Queue", "topicName": "AWS::SNS::Topic", "ruleName": "AWS::Events::Rule", "layerName": "AWS::Lambda::LayerVersion",
	"instanceId": "AWS::EC2::Instance", "groupId": "AWS::EC2::SecurityGroup", "volumeId": "AWS::EC2::Volume", "snapshotId": "AWS::EC2::Snapshot", "imageId": "AWS::EC2::Image", "vpcId": "AWS::EC2::VPC",
	"subnetId": "AWS::EC2::Subnet", "networkAclId": "AWS::EC2::NetworkAcl", "routeTableId": "AWS::EC2::RouteTable", "internetGatewayId": "AWS::EC2::InternetGateway", "natGatewayId": "AWS::EC2::NatGateway",
	"networkInterfaceId": "AWS::EC2::NetworkInterface", "allocationId": "AWS::EC2::EIP", "keyName": "AWS::EC2::KeyPair", "launchTemplateId": "AWS::EC2::LaunchTemplate", "flowLogId": "AWS::EC2::FlowLog", "FlowLogId": "AWS::EC2::FlowLog",
	"trafficMirrorTargetId": "AWS::EC2::TrafficMirrorTarget", "trafficMirrorSessionId": "AWS::EC2::TrafficMirrorSession", "trafficMirrorFilterId": "AWS::EC2::TrafficMirrorFilter",
	"bucketName": "AWS::S3::Bucket", "functionName": "AWS::Lambda::Function", "keyId": "AWS::KMS::Key", "secretId": "AWS::SecretsManager::Secret", "tableName": "AWS::DynamoDB::Table", "queueUrl": "AWS::SQS::Queue", "topicArn": "AWS::SNS::Topic",
	"dBInstanceIdentifier": "AWS::RDS::DBInstance", "dBClusterIdentifier": "AWS::RDS::DBCluster", "dBSnapshotIdentifier": "AWS::RDS::DBSnapshot", "dBClusterSnapshotIdentifier": "AWS::RDS::DBClusterSnapshot", "dBSecurityGroupName": "AWS::RDS::DBSecurityGroup",
	"roleName": "AWS::IAM::Role", "userName": "AWS::IAM::User", "groupName": "AWS::IAM::Group", "policyArn": "AWS::IAM::Policy", "roleArn": "AWS::IAM::Role", "instanceProfileName": "AWS::IAM::InstanceProfile",
	"logGroupName": "AWS::Logs::LogGroup", "trailName": "AWS::CloudTrail::Trail", "stackName": "AWS::CloudFormation::Stack", "clusterName": "AWS::EKS::Cluster", "cluster": "AWS::ECS::Cluster", "repositoryName": "AWS::ECR::Repository",
	"projectName": "AWS::CodeBuild::Project", "loadBalancerArn": "AWS::ElasticLoadBalancingV2::LoadBalancer", "hostedZoneId": "AWS::Route53::HostedZone", "webACLId": "AWS::WAF::WebACL", "ruleId": "AWS::WAF::Rule", "detectorId": "AWS::GuardDuty::Detector",
	"documentName": "AWS::SSM::Document", "fileSystemId": "AWS::EFS::FileSystem", "domainName": "AWS::Elasticsearch::Domain", "resourceArn": "Resource", "resourceARN": "Resource", "parameterName": "AWS::SSM::Parameter", "modelId": "AWS::Bedrock::Model", "streamName": "AWS::Kinesis::Stream",
	"certificateArn": "AWS::CertificateManager::Certificate", "distributionId": "AWS::CloudFront::Distribution", "userPoolId": "AWS::Cognito::UserPool", "accountId": "Account", "workGroup": "AWS::Athena::WorkGroup", "stateMachineArn": "AWS::StepFunctions::StateMachine",
	"autoScalingGroupName": "AWS::AutoScaling::AutoScalingGroup", "notebookInstanceName": "AWS::SageMaker::NotebookInstance", "alarmName": "AWS::CloudWatch::Alarm", "resolverQueryLogConfigId": "AWS::Route53Resolver::ResolverQueryLoggingConfig", "taskArn": "AWS::DataSync::Task",
}
