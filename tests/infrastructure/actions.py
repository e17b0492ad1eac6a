"""The actions of AWS with which each type of resource is created, read, changed and deleted.

Of CloudFormation they are the permissions of the handlers that a type's schema names
(`aws cloudformation describe-type --type RESOURCE --type-name AWS::SQS::Queue`), without those of
properties that the template does not use:
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
Of Terraform they are the calls of the provider's resources, likewise.
"""


def _actions(text: str) -> frozenset[str]:
    """Actions from lines `service: Name Name`."""
    found = set()
    for line in text.split(";"):
        service, _, names = line.partition(":")
        found |= {f"{service.strip()}:{name}" for name in names.split()}
    return frozenset(found)


CLOUDFORMATION = {
    kind: _actions(text)
    for kind, text in {
        "AWS::CloudWatch::Alarm": """cloudwatch: PutMetricAlarm DeleteAlarms DescribeAlarms
            TagResource UntagResource ListTagsForResource""",
        "AWS::CloudWatch::Dashboard": "cloudwatch: PutDashboard DeleteDashboards GetDashboard",
        "AWS::DynamoDB::Table": """dynamodb: CreateTable DeleteTable DescribeTable UpdateTable
            DescribeTimeToLive UpdateTimeToLive DescribeContinuousBackups UpdateContinuousBackups
            DescribeContributorInsights DescribeKinesisStreamingDestination GetResourcePolicy
            TagResource UntagResource ListTagsOfResource""",
        "AWS::Events::Rule": """events: PutRule DeleteRule DescribeRule PutTargets RemoveTargets
            ListTargetsByRule TagResource UntagResource ListTagsForResource; iam: PassRole""",
        "AWS::IAM::ManagedPolicy": """iam: CreatePolicy DeletePolicy GetPolicy CreatePolicyVersion
            DeletePolicyVersion GetPolicyVersion ListPolicyVersions ListEntitiesForPolicy
            AttachRolePolicy DetachRolePolicy TagPolicy UntagPolicy""",
        "AWS::IAM::Role": """iam: CreateRole DeleteRole GetRole UpdateRole UpdateRoleDescription
            UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies
            AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies TagRole UntagRole""",
        "AWS::Lambda::EventInvokeConfig": """lambda: PutFunctionEventInvokeConfig
            UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig
            GetFunctionEventInvokeConfig""",
        "AWS::Lambda::Function": """lambda: CreateFunction DeleteFunction GetFunction
            GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration
            PutFunctionConcurrency DeleteFunctionConcurrency GetFunctionCodeSigningConfig
            GetFunctionRecursionConfig GetRuntimeManagementConfig GetLayerVersion TagResource
            UntagResource ListTags; ec2: DescribeSecurityGroups DescribeSubnets DescribeVpcs;
            s3: GetObject; iam: PassRole""",
        "AWS::Lambda::LayerVersion": """lambda: PublishLayerVersion GetLayerVersion
            DeleteLayerVersion; s3: GetObject""",
        "AWS::Lambda::Permission": "lambda: AddPermission RemovePermission GetPolicy",
        "AWS::Logs::LogGroup": """logs: CreateLogGroup DeleteLogGroup DescribeLogGroups
            PutRetentionPolicy DeleteRetentionPolicy TagResource UntagResource
            ListTagsForResource""",
        "AWS::SNS::Subscription": """sns: Subscribe Unsubscribe GetSubscriptionAttributes
            SetSubscriptionAttributes ListSubscriptionsByTopic""",
        "AWS::SNS::Topic": """sns: CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes
            GetDataProtectionPolicy ListSubscriptionsByTopic TagResource UntagResource
            ListTagsForResource""",
        "AWS::SNS::TopicPolicy": "sns: SetTopicAttributes GetTopicAttributes",
        "AWS::SQS::Queue": """sqs: CreateQueue DeleteQueue GetQueueUrl GetQueueAttributes
            SetQueueAttributes TagQueue UntagQueue ListQueueTags""",
        "AWS::SQS::QueuePolicy": "sqs: SetQueueAttributes GetQueueAttributes",
        "AWS::SSM::Document": """ssm: CreateDocument DeleteDocument DescribeDocument GetDocument
            UpdateDocument UpdateDocumentDefaultVersion AddTagsToResource RemoveTagsFromResource
            ListTagsForResource""",
        # A machine that logs asks for log deliveries:
        # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        "AWS::StepFunctions::StateMachine": """states: CreateStateMachine DeleteStateMachine
            DescribeStateMachine UpdateStateMachine TagResource UntagResource ListTagsForResource;
            iam: PassRole; s3: GetObject; logs: CreateLogDelivery GetLogDelivery UpdateLogDelivery
            DeleteLogDelivery ListLogDeliveries PutResourcePolicy DescribeResourcePolicies
            DescribeLogGroups""",
    }.items()
}

DEPLOY = _actions(
    """cloudformation: CreateChangeSet DeleteChangeSet DescribeChangeSet DescribeStackEvents
    DescribeStackResource DescribeStackResources DescribeStacks ExecuteChangeSet GetTemplate
    GetTemplateSummary ListStackResources RollbackStack ValidateTemplate; s3: PutObject GetObject
    GetBucketLocation ListBucket; states: StartExecution DescribeExecution"""
)
"""The calls of `sam deploy` itself and of .github/scripts."""

_TAGGED = "ec2: CreateTags DeleteTags Describe*"
TERRAFORM = {
    f"aws_{kind}": _actions(text)
    for kind, text in {
        "autoscaling_group": """autoscaling: CreateAutoScalingGroup UpdateAutoScalingGroup
            DeleteAutoScalingGroup Describe* CreateOrUpdateTags DeleteTags SuspendProcesses
            ResumeProcesses EnableMetricsCollection DisableMetricsCollection SetInstanceProtection
            TerminateInstanceInAutoScalingGroup; iam: PassRole CreateServiceLinkedRole;
            ec2: RunInstances""",
        "autoscaling_lifecycle_hook": "autoscaling: PutLifecycleHook DeleteLifecycleHook Describe*",
        "autoscaling_policy": "autoscaling: PutScalingPolicy DeletePolicy Describe*",
        "cloudwatch_log_group": """logs: CreateLogGroup DeleteLogGroup DescribeLogGroups
            PutRetentionPolicy AssociateKmsKey TagResource UntagResource ListTagsForResource""",
        "cloudwatch_log_metric_filter": """logs: PutMetricFilter DeleteMetricFilter
            DescribeMetricFilters""",
        "cloudwatch_metric_alarm": """cloudwatch: PutMetricAlarm DeleteAlarms DescribeAlarms
            TagResource UntagResource ListTagsForResource""",
        "default_security_group": f"""{_TAGGED} RevokeSecurityGroupEgress
            RevokeSecurityGroupIngress""",
        "dlm_lifecycle_policy": """dlm: CreateLifecyclePolicy UpdateLifecyclePolicy
            DeleteLifecyclePolicy GetLifecyclePolicy TagResource UntagResource ListTagsForResource;
            iam: PassRole""",
        # Its item is never updated: terraform-base/modules/hub/document.tf.
        "dynamodb_table_item": "dynamodb: PutItem GetItem DeleteItem",
        "ebs_volume": f"{_TAGGED} CreateVolume ModifyVolume DeleteVolume CreateSnapshot",
        "efs_access_point": """elasticfilesystem: CreateAccessPoint DeleteAccessPoint Describe*
            TagResource UntagResource ListTagsForResource""",
        "efs_backup_policy": """elasticfilesystem: PutBackupPolicy Describe*;
            iam: CreateServiceLinkedRole""",
        "efs_file_system": """elasticfilesystem: CreateFileSystem UpdateFileSystem DeleteFileSystem
            Describe* PutLifecycleConfiguration TagResource UntagResource ListTagsForResource;
            iam: CreateServiceLinkedRole""",
        "efs_file_system_policy": """elasticfilesystem: PutFileSystemPolicy DeleteFileSystemPolicy
            Describe*""",
        "efs_mount_target": """elasticfilesystem: CreateMountTarget DeleteMountTarget Describe*
            ModifyMountTargetSecurityGroups; ec2: CreateNetworkInterface DeleteNetworkInterface""",
        "eip": f"{_TAGGED} AllocateAddress AssociateAddress DisassociateAddress ReleaseAddress",
        "flow_log": f"{_TAGGED} CreateFlowLogs DeleteFlowLogs; iam: PassRole",
        "iam_instance_profile": """iam: CreateInstanceProfile DeleteInstanceProfile
            GetInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile PassRole
            TagInstanceProfile UntagInstanceProfile""",
        "iam_role": """iam: CreateRole DeleteRole GetRole UpdateAssumeRolePolicy
            UpdateRoleDescription ListRolePolicies ListAttachedRolePolicies
            ListInstanceProfilesForRole TagRole UntagRole""",
        "iam_role_policy": "iam: PutRolePolicy GetRolePolicy DeleteRolePolicy",
        "iam_role_policy_attachment": """iam: AttachRolePolicy DetachRolePolicy
            ListAttachedRolePolicies""",
        "instance": f"""{_TAGGED} RunInstances StartInstances StopInstances TerminateInstances
            ModifyInstanceAttribute ModifyInstanceMaintenanceOptions ModifyInstanceMetadataOptions;
            iam: PassRole""",
        "internet_gateway": f"""{_TAGGED} CreateInternetGateway AttachInternetGateway
            DetachInternetGateway DeleteInternetGateway""",
        "kms_alias": "kms: CreateAlias UpdateAlias DeleteAlias ListAliases",
        "kms_key": """kms: CreateKey DescribeKey GetKeyPolicy PutKeyPolicy GetKeyRotationStatus
            EnableKeyRotation ScheduleKeyDeletion UpdateKeyDescription TagResource UntagResource
            ListResourceTags""",
        "launch_template": f"""{_TAGGED} CreateLaunchTemplate CreateLaunchTemplateVersion
            ModifyLaunchTemplate DeleteLaunchTemplate DeleteLaunchTemplateVersions""",
        "nat_gateway": f"{_TAGGED} CreateNatGateway DeleteNatGateway",
        "network_interface": f"""{_TAGGED} CreateNetworkInterface DeleteNetworkInterface
            ModifyNetworkInterfaceAttribute""",
        "route": "ec2: CreateRoute ReplaceRoute DeleteRoute Describe*",
        "route53_record": "route53: ChangeResourceRecordSets GetChange ListResourceRecordSets "
        "GetHostedZone",
        "route53_zone": """route53: CreateHostedZone DeleteHostedZone GetHostedZone GetChange
            ListHostedZones UpdateHostedZoneComment AssociateVPCWithHostedZone
            ChangeTagsForResource ListTagsForResource ListResourceRecordSets""",
        "route_table": f"{_TAGGED} CreateRouteTable DeleteRouteTable",
        "route_table_association": """ec2: AssociateRouteTable DisassociateRouteTable
            ReplaceRouteTableAssociation Describe*""",
        "s3_bucket": """s3: CreateBucket DeleteBucket DeleteObject DeleteObjectVersion ListBucket
            ListBucketVersions GetBucket* GetAccelerateConfiguration GetReplicationConfiguration
            GetEncryptionConfiguration GetLifecycleConfiguration PutBucketTagging""",
        "s3_bucket_lifecycle_configuration": """s3: GetLifecycleConfiguration
            PutLifecycleConfiguration""",
        "s3_bucket_ownership_controls": "s3: GetBucket* PutBucketOwnershipControls",
        "s3_bucket_policy": "s3: GetBucket* PutBucketPolicy DeleteBucketPolicy",
        "s3_bucket_public_access_block": "s3: GetBucket* PutBucketPublicAccessBlock",
        "s3_bucket_server_side_encryption_configuration": """s3: GetEncryptionConfiguration
            PutEncryptionConfiguration""",
        "s3_bucket_versioning": "s3: GetBucket* PutBucketVersioning",
        "secretsmanager_secret": """secretsmanager: CreateSecret UpdateSecret DeleteSecret
            DescribeSecret GetResourcePolicy TagResource UntagResource""",
        "security_group": f"""{_TAGGED} CreateSecurityGroup DeleteSecurityGroup
            RevokeSecurityGroupEgress RevokeSecurityGroupIngress""",
        "ssm_association": """ssm: CreateAssociation UpdateAssociation DeleteAssociation
            DescribeAssociation""",
        "ssm_document": """ssm: CreateDocument UpdateDocument UpdateDocumentDefaultVersion
            DeleteDocument DescribeDocument GetDocument DescribeDocumentPermission
            AddTagsToResource RemoveTagsFromResource ListTagsForResource""",
        "ssm_parameter": """ssm: PutParameter DeleteParameter GetParameter GetParameters
            DescribeParameters AddTagsToResource RemoveTagsFromResource ListTagsForResource""",
        "subnet": f"{_TAGGED} CreateSubnet DeleteSubnet ModifySubnetAttribute",
        "volume_attachment": "ec2: AttachVolume DetachVolume StopInstances Describe*",
        "vpc": f"{_TAGGED} CreateVpc DeleteVpc ModifyVpcAttribute",
        "vpc_endpoint": f"{_TAGGED} CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints",
        "vpc_security_group_egress_rule": f"""{_TAGGED} AuthorizeSecurityGroupEgress
            ModifySecurityGroupRules RevokeSecurityGroupEgress""",
        "vpc_security_group_ingress_rule": f"""{_TAGGED} AuthorizeSecurityGroupIngress
            ModifySecurityGroupRules RevokeSecurityGroupIngress""",
    }.items()
}

APPLY = _actions(
    "s3: GetObject PutObject DeleteObject ListBucket; ssm: DescribeInstanceInformation"
)
"""The calls of Terraform on its states, and of the scripts that it starts."""


def reads(action: str) -> bool:
    """Whether an action changes nothing."""
    return action.partition(":")[2].startswith(("Describe", "Get", "List"))
