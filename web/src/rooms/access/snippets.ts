// How to use a new key pair with common tools, ready to paste.

export interface Pair {
  accessKeyId: string;
  secret: string;
  /** A bucket that the pair may use, where one is known. */
  bucket?: string | undefined;
  /** The bucket is still to be made, by this pair. */
  create?: boolean;
}

export function snippets({
  accessKeyId,
  secret,
  bucket = "my-bucket",
  create = false,
}: Pair): { name: string; text: string }[] {
  const endpoint = window.location.origin;
  const variables = [
    `AWS_ENDPOINT_URL=${endpoint}`,
    "AWS_DEFAULT_REGION=us-east-1",
    `AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${secret}`,
  ];
  return [
    {
      name: "aws",
      text: [
        ...variables.map((line) => `export ${line}`),
        "",
        ...(create ? [`aws s3 mb s3://${bucket}`] : []),
        `aws s3 cp ./file s3://${bucket}/file`,
        `aws s3 ls s3://${bucket}/`,
      ].join("\n"),
    },
    {
      name: "rclone",
      text: [
        "# ~/.config/rclone/rclone.conf",
        "[deltaglider]",
        "type = s3",
        "provider = Other",
        `endpoint = ${endpoint}`,
        "region = us-east-1",
        "force_path_style = true",
        `access_key_id = ${accessKeyId}`,
        `secret_access_key = ${secret}`,
        "",
        ...(create ? [`# rclone mkdir deltaglider:${bucket}`] : []),
        `# rclone copy ./folder deltaglider:${bucket}/folder`,
      ].join("\n"),
    },
    { name: ".env", text: variables.join("\n") },
    {
      name: "boto3",
      text: [
        "import boto3",
        "",
        "s3 = boto3.client(",
        '    "s3",',
        `    endpoint_url="${endpoint}",`,
        '    region_name="us-east-1",',
        `    aws_access_key_id="${accessKeyId}",`,
        `    aws_secret_access_key="${secret}",`,
        ")",
        ...(create ? [`s3.create_bucket(Bucket="${bucket}")`] : []),
        `print(s3.list_objects_v2(Bucket="${bucket}").get("KeyCount"))`,
      ].join("\n"),
    },
  ];
}
