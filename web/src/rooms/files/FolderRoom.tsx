// What lies in a bucket below a prefix, page by page, and what can be done with it.

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { FolderOpen, FolderUp, PackageX, Search, Upload } from "lucide-react";
import { useEffect, useRef, useState, type RefObject } from "react";
import { Problem } from "../../api/problem";
import { folderPages, object as objectQuery, ownBuckets } from "../../api/queries";
import type { ObjectPage } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button } from "../../ui/Button";
import { Empty, Waiting } from "../../ui/Empty";
import { ProblemNotice } from "../../ui/Notice";
import { Room } from "../../ui/Room";
import { Unread } from "../../ui/Unread";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { fromDrop, fromList, type Chosen } from "./chosen";
import { DeleteObject, Details, nameOf, Share } from "./dialogs";
import { downloadOf, Entries, type Entry } from "./Entries";
import { active, begin, useUploads } from "./uploads";
import { Uploads } from "./Uploads";

const CRUMBS = [{ text: "Files", to: "/files" }] as const;

export function FolderRoom() {
  const { bucket } = useParams({ from: "/files/$bucket" });
  const { prefix = "", q = "", dialog, key = "" } = useSearch({ from: "/files/$bucket" });
  const navigate = useNavigate({ from: "/files/$bucket" });
  const overlay = useDialog();
  const me = useMe();
  const queries = useQueryClient();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const own = useQuery(ownBuckets).data?.find((each) => each.name === bucket);
  const below = prefix + q;
  const pages = useInfiniteQuery({
    ...folderPages(bucket, below),
    // While one types, what is there already is narrowed at once.
    placeholderData: (before, query) => {
      const [, there, at] = query?.queryKey ?? [];
      return q && there === bucket && at !== undefined && below.startsWith(at) ? before : undefined;
    },
  });
  const uploads = useUploads(bucket);
  useFocusOn(prefix);
  useFreshAfter(uploads.filter((upload) => upload.state === "done").length, uploads.some(active), bucket);
  const entries = (pages.data?.pages ?? []).flatMap(entriesOf).filter((entry) => entry.key.startsWith(below));
  const writable = own?.read_only !== true;
  const take = (chosen: readonly Chosen[]) => {
    if (chosen.length > 0) begin(bucket, prefix, chosen);
  };
  const download = useMutation({
    // A browser saves the answer, whatever it is: whether there will be an object in it is asked first.
    mutationFn: (wanted: string) => queries.query({ ...objectQuery(bucket, wanted), staleTime: 0 }),
    onSuccess: ({ key: wanted }) => save(downloadOf(bucket, wanted)),
  });
  if (pages.error instanceof Problem && pages.error.status === 404) {
    return (
      <Unread
        what="bucket"
        icon={PackageX}
        crumbs={CRUMBS}
        all={{ text: "All files", to: "/files" }}
        error={pages.error}
        onRetry={() => void pages.refetch()}
      />
    );
  }
  const upload = (
    <>
      <Button onClick={() => folder.current?.click()}>
        <FolderUp size={16} aria-hidden /> Upload a folder…
      </Button>
      <Button look="primary" onClick={() => files.current?.click()}>
        <Upload size={16} aria-hidden /> Upload files…
      </Button>
    </>
  );
  return (
    <Room
      title={bucket}
      crumbs={CRUMBS}
      beside={writable ? null : <span className="pill pill-warn">Read-only</span>}
      about={
        me.may("config:read") ? (
          <Link to="/buckets/$bucket" params={{ bucket }}>
            Settings of this bucket
          </Link>
        ) : null
      }
      actions={writable ? upload : null}
    >
      <FileInput ref={files} label="Files to upload" onChosen={take} />
      <FileInput ref={folder} label="Folder to upload" folder onChosen={take} />
      <Uploads of={uploads} bucket={bucket} />
      {/* Dropping is a second way: the button is the one for keyboards. */}
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions */}
      <div
        className="card folder"
        data-over={over}
        onDragOver={(event) => {
          if (!writable) return;
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (writable) void fromDrop(event.dataTransfer).then(take);
        }}
      >
        <div className="card-head">
          <Path bucket={bucket} prefix={prefix} />
          <div className="search">
            <Search size={15} aria-hidden />
            <input
              className="input"
              type="search"
              aria-label="Names that begin with"
              placeholder="Begins with"
              value={q}
              onChange={(event) => {
                const next = event.target.value;
                void navigate({ search: (search) => ({ ...search, q: next || undefined }), replace: true });
              }}
            />
          </div>
        </div>
        {download.error ? (
          <div className="card-body">
            <ProblemNotice error={download.error} title={`${nameOf(download.variables)} was not downloaded`} />
          </div>
        ) : null}
        {pages.error && !pages.data ? (
          <div className="card-body">
            <ProblemNotice error={pages.error} onRetry={() => void pages.refetch()} />
          </div>
        ) : !pages.data || (entries.length === 0 && pages.isPlaceholderData) ? (
          <Waiting what="files" />
        ) : entries.length === 0 ? (
          q ? (
            <Empty icon={FolderOpen} title="Nothing begins like that">
              <p className="quiet wrap-anywhere">
                No name here begins with “{q}”. Capitals count; the middle of a name is not looked at.
              </p>
            </Empty>
          ) : (
            <Empty icon={FolderOpen} title="Nothing here yet">
              {writable ? (
                <>
                  <p className="quiet">Drop files or folders here, or choose some.</p>
                  <div className="row">{upload}</div>
                </>
              ) : null}
            </Empty>
          )
        ) : (
          <Entries
            bucket={bucket}
            prefix={prefix}
            of={entries}
            writable={writable}
            onDownload={(wanted) => download.mutate(wanted)}
          />
        )}
        {pages.data && pages.error ? (
          <div className="card-body">
            <ProblemNotice
              error={pages.error}
              title="What follows could not be read"
              onRetry={() => void (pages.hasNextPage ? pages.fetchNextPage() : pages.refetch())}
            />
          </div>
        ) : null}
        {entries.length > 0 && !pages.isPlaceholderData ? (
          <div className="card-foot row-apart">
            <span className="quiet small" role="status">
              {pages.hasNextPage
                ? `The first ${entries.length.toLocaleString("en")}`
                : count(entries.length, "entry", "entries")}
            </span>
            {pages.hasNextPage ? (
              <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more
              </Button>
            ) : null}
          </div>
        ) : null}
      </div>
      {key ? (
        <>
          <Details
            key={`details ${dialog ?? ""}`}
            bucket={bucket}
            of={key}
            open={dialog === "details"}
            writable={writable}
            onClose={overlay.close}
            onDownload={(wanted) => {
              overlay.close();
              download.mutate(wanted);
            }}
          />
          <Share
            key={`share ${dialog ?? ""}`}
            bucket={bucket}
            of={key}
            open={dialog === "share"}
            onClose={overlay.close}
          />
          <DeleteObject
            key={`delete ${dialog ?? ""}`}
            bucket={bucket}
            of={key}
            open={dialog === "delete"}
            onClose={overlay.close}
          />
        </>
      ) : null}
    </Room>
  );
}

/** Names as the server sorts them, folders among the files: a page knows nothing of those after it. */
function entriesOf(page: ObjectPage): Entry[] {
  const folders = page.prefixes.map((key) => ({ folder: true as const, key }));
  const objects = page.objects.map((object) => ({ folder: false as const, ...object }));
  return [...folders, ...objects].sort((a, b) => (a.key < b.key ? -1 : 1));
}

interface FileInputProps {
  ref: RefObject<HTMLInputElement | null>;
  label: string;
  folder?: boolean;
  onChosen: (chosen: readonly Chosen[]) => void;
}

/** Opened by a button that says what it is for. */
function FileInput({ ref, label, folder = false, onChosen }: FileInputProps) {
  useEffect(() => {
    // React knows no such attribute.
    if (ref.current) ref.current.webkitdirectory = folder;
  }, [ref, folder]);
  return (
    <input
      ref={ref}
      type="file"
      multiple
      hidden
      aria-label={label}
      onChange={(event) => {
        onChosen(fromList(event.target.files ?? []));
        event.target.value = "";
      }}
    />
  );
}

function save(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}

/** The next folder is read from its top; the link that led there is gone. */
function useFocusOn(prefix: string): void {
  const before = useRef(prefix);
  useEffect(() => {
    if (before.current === prefix) return;
    before.current = prefix;
    document.getElementById("room")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [prefix]);
}

/** What was uploaded is looked for once nothing is under way any more. */
function useFreshAfter(done: number, busy: boolean, bucket: string): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (done === 0 || busy) return;
    void queries.invalidateQueries({ queryKey: ["objects", bucket] });
    void queries.invalidateQueries({ queryKey: ["object", bucket] });
    void queries.invalidateQueries({ queryKey: ["buckets"] });
  }, [queries, done, busy, bucket]);
}

/** The folders from the bucket down to here. */
function Path({ bucket, prefix }: { bucket: string; prefix: string }) {
  // A key may hold empty names: each slash is a step.
  const steps = prefix.split("/").slice(0, -1);
  return (
    <nav className="crumbs grow wrap-anywhere" aria-label="Folder">
      {steps.length === 0 ? (
        <strong>All files</strong>
      ) : (
        <Link to="/files/$bucket" params={{ bucket }}>
          All files
        </Link>
      )}
      {steps.map((step, index) => (
        // Steps have no name but their place.
        <span key={index} className="row">
          <span aria-hidden="true">›</span>
          {index === steps.length - 1 ? (
            <strong>{step || "(no name)"}</strong>
          ) : (
            <Link
              to="/files/$bucket"
              params={{ bucket }}
              search={{ prefix: `${steps.slice(0, index + 1).join("/")}/` }}
            >
              {step || "(no name)"}
            </Link>
          )}
        </span>
      ))}
    </nav>
  );
}
