package provider

import "slices"

// Sources that several cells cite.
const (
	awsAPI      = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"
	rcloneTable = "https://github.com/rclone/rclone/tree/master/backend/s3/provider"
	r2API       = "https://developers.cloudflare.com/r2/api/s3/api/"
	b2API       = "https://www.backblaze.com/docs/cloud-storage-s3-compatible-api"
	doAPI       = "https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/"
	cephAPI     = "https://docs.ceph.com/en/latest/radosgw/s3/"
	tigrisTests = "https://www.tigrisdata.com/docs/api/s3/"
	garageAPI   = "https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/"
	scalewayAPI = "https://www.scaleway.com/en/docs/object-storage/api-cli/using-api-call-list/"
	hetznerAPI  = "https://docs.hetzner.com/storage/object-storage/supported-actions/"
	storjAPI    = "https://storj.dev/dcs/api/s3/s3-compatibility"
	ossAPI      = "https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3"
	cosFAQ      = "https://cloud.tencent.com/document/product/436/102489"
	cosACL      = "https://www.tencentcloud.com/document/product/436/7749"
	e2API       = "https://www.idrive.com/e2/guides/s3_developer_guide.htm"
	minioAPI    = "https://docs.min.io/enterprise/aistor-object-store/developers/s3-api-compatibility"
	wasabiAPI   = "https://docs.wasabi.com/apidocs/wasabi-api"
	versityACL  = "https://github.com/versity/versitygw/pull/1911"
	versityWeb  = "https://github.com/versity/versitygw/pull/1727"
	tested      = "the test TestSuiteOnGateway"
	signing     = "https://github.com/rclone/rclone/issues/6670"
)

func yes(source string) Cell { return Cell{Yes, source} }

func no(source string) Cell { return Cell{No, source} }

// Table is all that is known of the services.
func Table() []Provider {
	return slices.Concat(cloudProviders(), hostingProviders(), objectProviders(), serverPrograms())
}

// standard are the classes of AWS whose objects are served at once.
func standard() []string {
	return []string{"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}
}

// cloudProviders have the most users.
func cloudProviders() []Provider {
	return []Provider{
		{
			Name: "aws", Title: "Amazon S3", Region: "us-east-1", StyleSource: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html",
			Hosts:   []string{"s3.{region}.amazonaws.com", "s3.{region}.amazonaws.com.cn", "s3.dualstack.{region}.amazonaws.com", "s3-{region}.amazonaws.com", "s3.amazonaws.com", "s3-accelerate.amazonaws.com"},
			Classes: standard(),
			Note:    "Buckets made since April 2023 take no ACLs (Object Ownership); a bucket policy makes them public.",
			Cells: map[Feature]Cell{
				Checksums: yes(awsAPI), SignedEncoding: yes(rcloneTable), ObjectACLs: yes(awsAPI), Conditions: yes(awsAPI),
				Copy: yes("https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"), ListV2: yes("https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"),
				URLEncoding: yes(rcloneTable), BulkDelete: yes("https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"), SSES3: yes(awsAPI), SSEKMS: yes(awsAPI),
			},
		},
		{
			Name: "r2", Title: "Cloudflare R2", Region: "auto", PathStyle: true, StyleSource: rcloneTable,
			Hosts: []string{"*.r2.cloudflarestorage.com"}, Classes: []string{"STANDARD", "STANDARD_IA"},
			Note: "A bucket is public by its custom domain or its r2.dev address, not by ACLs.",
			Cells: map[Feature]Cell{
				Checksums: yes(r2API), SignedEncoding: yes(rcloneTable), ObjectACLs: no(r2API), Conditions: yes("https://developers.cloudflare.com/r2/api/s3/conditional-operations/"),
				Copy: yes(r2API), ListV2: yes(r2API), URLEncoding: yes(rcloneTable), BulkDelete: yes(tigrisTests), SSES3: yes(tigrisTests), SSEKMS: no(r2API),
			},
		},
		{
			Name: "b2", Title: "Backblaze B2", Region: "us-west-004", PathStyle: true, StyleSource: b2API,
			Hosts: []string{"s3.{region}.backblazeb2.com"}, Classes: []string{"STANDARD"},
			Note: "A bucket is public as a whole; objects have the ACL of their bucket.",
			Cells: map[Feature]Cell{
				Checksums: no("https://github.com/iterate-ch/cyberduck/issues/16107"), SignedEncoding: yes(rcloneTable), ObjectACLs: no(b2API),
				Conditions: no("https://github.com/sathinduga/obsidian-s3-sync-and-backup/issues/78"),
				Copy:       yes(b2API), ListV2: yes(b2API), URLEncoding: yes(rcloneTable), BulkDelete: yes(b2API), SSES3: yes(b2API), SSEKMS: no(b2API),
			},
		},
		{
			Name: "gcs", Title: "Google Cloud Storage", Region: "auto", PathStyle: true, StyleSource: "https://cloud.google.com/storage/docs/request-endpoints",
			Hosts: []string{"storage.googleapis.com", "storage.{region}.rep.googleapis.com"}, Classes: []string{"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"}, Transcodes: true,
			Note: "Needs HMAC keys. Buckets with uniform bucket-level access take no ACLs.",
			Cells: map[Feature]Cell{
				Checksums: yes(tigrisTests), SignedEncoding: no(signing), ObjectACLs: yes("https://cloud.google.com/storage/docs/xml-api/reference-headers"),
				Conditions: no("https://github.com/aws/aws-sdk-java-v2/pull/6055"), Copy: yes(tigrisTests), ListV2: yes(tigrisTests), URLEncoding: yes(rcloneTable),
				BulkDelete: no("https://github.com/supabase/storage/issues/898"), SSES3: yes(tigrisTests), SSEKMS: no("https://cloud.google.com/storage/docs/encryption/using-customer-managed-keys"),
			},
		},
	}
}

// hostingProviders sell servers, and object storage beside them.
func hostingProviders() []Provider {
	return []Provider{
		{
			Name: "digitalocean", Title: "DigitalOcean Spaces", Region: "us-east-1", StyleSource: doAPI,
			Hosts: []string{"{region}.digitaloceanspaces.com"}, Classes: []string{"STANDARD"},
			Note: "Objects are private unless they have the ACL public-read; a copy has no ACL of its source.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes("https://docs.digitalocean.com/reference/api/spaces-api/"), Copy: yes(doAPI), ListV2: yes(doAPI),
				URLEncoding: no(rcloneTable), BulkDelete: yes("https://docs.digitalocean.com/reference/api/spaces-api/"), SSES3: no(doAPI), SSEKMS: no(doAPI),
			},
		},
		{
			Name: "linode", Title: "Linode (Akamai) Object Storage", Region: "us-east-1", StyleSource: "https://techdocs.akamai.com/cloud-computing/docs/access-buckets-and-files-through-urls",
			Hosts: []string{"{region}.linodeobjects.com"}, Classes: []string{"STANDARD"},
			Note: "Objects are private unless they have the ACL public-read; a copy has no ACL of its source.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes("https://github.com/linode/docs/pull/2921"),
				Copy: yes(cephAPI), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable), BulkDelete: yes(cephAPI),
			},
		},
		{
			Name: "wasabi", Title: "Wasabi", Region: "us-east-1", StyleSource: wasabiAPI,
			Hosts: []string{"s3.{region}.wasabisys.com", "s3.wasabisys.com"}, Classes: []string{"STANDARD"},
			Note: "Public use of a bucket needs an account that Wasabi has enabled for it.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(wasabiAPI), Copy: yes(wasabiAPI), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable),
				BulkDelete: yes(wasabiAPI), SSES3: yes(wasabiAPI), SSEKMS: no(wasabiAPI),
			},
		},
		{
			Name: "alibaba", Title: "Alibaba Cloud OSS", Region: "cn-hangzhou", StyleSource: ossAPI,
			Hosts: []string{"s3.oss-{region}-internal.aliyuncs.com", "oss-{region}-internal.aliyuncs.com", "s3.oss-{region}.aliyuncs.com", "oss-{region}.aliyuncs.com"}, Classes: []string{"STANDARD", "STANDARD_IA"},
			Note: "Refuses aws-chunked bodies, which are not sent, and path-style requests.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(ossAPI), Copy: yes(ossAPI), ListV2: yes(ossAPI), URLEncoding: yes(rcloneTable), BulkDelete: yes(ossAPI),
			},
		},
		{
			Name: "tencent", Title: "Tencent Cloud COS", Region: "ap-guangzhou", StyleSource: cosFAQ,
			Hosts: []string{"cos.{region}.myqcloud.com", "cos.{region}.tencentcos.cn"}, Classes: []string{"STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "MAZ_STANDARD", "MAZ_STANDARD_IA"},
			Note: "Buckets made since 2024 refuse path-style requests.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(cosACL), Copy: yes("https://www.tencentcloud.com/document/product/436/10881"), ListV2: no(rcloneTable), URLEncoding: yes(rcloneTable),
				BulkDelete: yes("https://www.tencentcloud.com/document/product/436/8289"),
			},
		},
	}
}

// objectProviders are the others that have endpoints of their own.
func objectProviders() []Provider {
	return []Provider{
		{
			Name: "scaleway", Title: "Scaleway Object Storage", Region: "fr-par", StyleSource: "https://www.scaleway.com/en/docs/object-storage/api-cli/object-operations/",
			Hosts: []string{"s3.{region}.scw.cloud"}, Classes: []string{"STANDARD", "ONEZONE_IA"},
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(scalewayAPI), Conditions: yes("https://www.scaleway.com/en/docs/object-storage/api-cli/using-conditional-writes/"),
				Copy: yes(scalewayAPI), ListV2: yes(scalewayAPI), URLEncoding: yes(rcloneTable), BulkDelete: yes("https://www.scaleway.com/en/docs/object-storage/api-cli/object-operations/"),
			},
		},
		{
			Name: "ovh", Title: "OVHcloud Object Storage", Region: "gra", StyleSource: rcloneTable,
			Hosts: []string{"s3.{region}.io.cloud.ovh.net", "s3.{region}.perf.cloud.ovh.net", "s3.{region}.io.cloud.ovh.us", "s3.{region}.cloud.ovh.net"},
			Note:  "Refused the SDK's default checksums in 2025 (public-cloud-roadmap#781); they are not sent.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), Conditions: yes("https://github.com/ovh/ovhcloud-docs/pull/28"), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable),
			},
		},
		{
			Name: "hetzner", Title: "Hetzner Object Storage", Region: "fsn1", StyleSource: rcloneTable,
			Hosts: []string{"{region}.your-objectstorage.com"}, Classes: []string{"STANDARD"},
			Note: "CopyObject is documented as one that may fail; an object whose copy is refused is read and written.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(hetznerAPI), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable), BulkDelete: yes(hetznerAPI),
				SSES3: no(hetznerAPI), SSEKMS: no(hetznerAPI),
			},
		},
		{
			Name: "idrive", Title: "IDrive e2", Region: "us-east-1", PathStyle: true, StyleSource: rcloneTable,
			Hosts: []string{"s3.{region}.idrivee2.com", "*.idrivee2.com", "*.idrivee2-*.com"}, Classes: []string{"STANDARD"},
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), Copy: yes(e2API), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable), BulkDelete: yes(e2API),
			},
		},
		{
			Name: "storj", Title: "Storj", Region: "us-1", PathStyle: true, StyleSource: storjAPI,
			Hosts: []string{"gateway.storjshare.io", "gateway.{region}.storjshare.io"},
			Note:  "Older gateways have no CopyObject: a copy is tried once, and replaced by reading and writing. A site is public under a linksharing address.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: no(storjAPI), ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable), BulkDelete: yes(storjAPI), SSES3: no(storjAPI), SSEKMS: no(storjAPI),
			},
		},
		{
			Name: "tigris", Title: "Tigris", Region: "auto", StyleSource: "https://www.tigrisdata.com/docs/sdks/s3/",
			Hosts: []string{"t3.storage.dev", "fly.storage.tigris.dev"}, Classes: []string{"STANDARD", "STANDARD_IA", "GLACIER_IR"},
			Cells: map[Feature]Cell{
				Checksums: yes(tigrisTests), SignedEncoding: yes(tigrisTests), ObjectACLs: yes(tigrisTests), Conditions: yes("https://www.tigrisdata.com/docs/objects/conditionals/"),
				Copy: yes(tigrisTests), ListV2: yes(tigrisTests), URLEncoding: yes(tigrisTests), BulkDelete: yes(tigrisTests), SSES3: yes(tigrisTests), SSEKMS: no(tigrisTests),
			},
		},
	}
}

// serverPrograms run under any host name.
func serverPrograms() []Provider {
	return []Provider{
		{
			Name: "minio", Title: "MinIO", Region: "us-east-1", PathStyle: true, StyleSource: rcloneTable, Classes: []string{"STANDARD", "REDUCED_REDUNDANCY"},
			Note: "A bucket policy makes objects public.",
			Cells: map[Feature]Cell{
				Checksums: yes("https://github.com/minio/minio/pull/15433"), SignedEncoding: yes(rcloneTable), ObjectACLs: no("https://github.com/minio/minio/issues/8195"), Conditions: yes(minioAPI), Copy: yes(minioAPI),
				ListV2: yes(rcloneTable), URLEncoding: yes(rcloneTable), BulkDelete: yes(minioAPI),
			},
		},
		{
			Name: "ceph", Title: "Ceph RGW", Region: "us-east-1", PathStyle: true, StyleSource: rcloneTable,
			Note: "Release 18.2.4 fails on checksums in trailers (padok-team/burrito#602), which are not sent. Releases before Nautilus have no ListObjectsV2; a listing that such a release cuts short is noticed.",
			Cells: map[Feature]Cell{
				SignedEncoding: yes(rcloneTable), ObjectACLs: yes(cephAPI), Copy: yes(cephAPI), ListV2: no(rcloneTable), URLEncoding: no(rcloneTable), BulkDelete: yes(cephAPI),
			},
		},
		{
			Name: "garage", Title: "Garage", Region: "garage", PathStyle: true, StyleSource: "https://garagehq.deuxfleurs.fr/documentation/connect/",
			Note: "The region is the one of its configuration file. A bucket is public as a website.",
			Cells: map[Feature]Cell{
				Checksums: yes("https://deuxfleurs-org-garage-38.mintlify.app/api/s3/object-operations"), SignedEncoding: yes(rcloneTable), ObjectACLs: no(garageAPI), Copy: yes(garageAPI), ListV2: yes(garageAPI), URLEncoding: yes(garageAPI),
				BulkDelete: yes(garageAPI), SSES3: no(garageAPI), SSEKMS: no(garageAPI),
			},
		},
		{
			Name: "versitygw", Title: "Versity S3 Gateway", Region: "us-east-1", PathStyle: true, StyleSource: tested,
			Note: "Ignores ACLs of objects. A bucket policy makes objects public.",
			Cells: map[Feature]Cell{
				Checksums: yes(tested), SignedEncoding: yes(tested), ObjectACLs: no(versityACL), Conditions: yes(versityWeb),
				Copy: yes(tested), ListV2: yes(tested), URLEncoding: yes(tested), BulkDelete: yes(tested),
			},
		},
		{
			Name: Other, Title: "Any other service", Region: "us-east-1", PathStyle: true, StyleSource: rcloneTable,
			Note: "Everything is tried once; what the service refuses is replaced, and told.",
		},
	}
}
