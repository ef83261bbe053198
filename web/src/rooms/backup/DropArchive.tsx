// Where an archive is dropped or chosen.

import { FileArchive } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "../../ui/Button";

export function DropArchive({ onFile }: { onFile: (file: File) => void }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    // Dropping is a second way: the button is the one for keyboards.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer.files[0];
        if (file) onFile(file);
      }}
    >
      <FileArchive size={28} strokeWidth={1.5} aria-hidden />
      <div>
        <strong>Drop a Full Backup here</strong>
        <div className="quiet small">
          the <code>dgp-backup-….zip</code> that an export gave, also an encrypted one
        </div>
      </div>
      <input
        ref={input}
        type="file"
        hidden
        accept=".zip,.age,application/zip"
        aria-label="Backup archive"
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file may be chosen again.
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
      <Button onClick={() => input.current?.click()}>Choose a file…</Button>
      <p className="quiet small">Nothing changes yet: first it is verified, and you see what it would do.</p>
    </div>
  );
}
