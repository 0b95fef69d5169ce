# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer files as there are, each with the place where a key was put in by hand: what is between « and » is what differs.

In the file without a key nothing is between them. C(⟦old⟧) is what stands there before, and has to give way.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"
OTHER = "BCDFG-HJKMP-QRTVW-XY234-VMK7H"
IDENTITY = 'publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"'
WCM = 'xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State"'


@dataclass(frozen=True)
class Variant:
    """One file.

    Attributes:
        text: Its text with the marks.
        codec: Its encoding.
        mark: Its byte order mark.
    """

    text: str
    codec: str = "utf-8"
    mark: bytes = b""

    def _encoded(self, text: str) -> bytes:
        return self.mark + text.encode(self.codec)

    @property
    def before(self) -> bytes:
        """The file before the key is put in."""
        return self._encoded(re.sub("«[^»]*»", "", re.sub("⟦([^⟧]*)⟧", r"\1", self.text)))

    @property
    def after(self) -> bytes:
        """The file with the key."""
        return self._encoded(re.sub("⟦[^⟧]*⟧", "", re.sub("«([^»]*)»", r"\1", self.text)))


def component(architecture: str = "amd64", name: str = "Microsoft-Windows-Shell-Setup") -> str:
    return f'<component name="{name}" processorArchitecture="{architecture}" {IDENTITY}>'


# As Windows SIM writes it, with a mark, CR LF and all passes; one line is in need of Unicode.
SIM = f"""<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
    <settings pass="windowsPE">
        <component name="Microsoft-Windows-Setup" processorArchitecture="amd64" {IDENTITY} {WCM}>
            <UserData>
                <ProductKey>
                    <Key>{OTHER}</Key>
                    <WillShowUI>OnError</WillShowUI>
                </ProductKey>
                <AcceptEula>true</AcceptEula>
                <Organization>Contoso &amp; Söhne 漢字</Organization>
            </UserData>
        </component>
    </settings>
    <settings pass="specialize">
        {component()}
            <ComputerName>*</ComputerName>
            <TimeZone>W. Europe Standard Time</TimeZone>
«            <ProductKey>{KEY}</ProductKey>
»        </component>
    </settings>
    <cpi:offlineImage cpi:source="wim:c:/install.wim#Windows 10 Enterprise" xmlns:cpi="urn:schemas-microsoft-com:cpi" />
</unattend>
""".replace("\n", "\r\n")

# By hand, with tabs, comments in every place, odd blanks in tags, single quotes and a greater-than sign in a value.
BY_HAND = f"""<?xml version='1.0'?>
<!-- Contoso's answer file > with a sign -->
<unattend xmlns='urn:schemas-microsoft-com:unattend'   {WCM} >
\t<!-- pass 4 --><?editor state="a > b"?>
\t<settings  pass = 'specialize' >
\t\t<component language='neutral' name='Microsoft-Windows-Shell-Setup'
\t\t\tprocessorArchitecture='amd64' publicKeyToken='31bf3856ad364e35' versionScope='nonSxS' >
\t\t\t<RegisteredOwner>a > b</RegisteredOwner> <!-- <ProductKey>no key</ProductKey> -->
\t\t\t<!-- the key comes last -->
«\t\t\t<ProductKey>{KEY}</ProductKey>
»\t\t</component>
\t</settings>
</unattend>
<!-- the end -->"""

# In UTF-16 as Notepad's "Unicode" has it, with another key in the place.
OTHER_KEY = f"""<?xml version="1.0" encoding="utf-16"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="specialize">
    {component()}
      <ProductKey>⟦{OTHER}⟧«{KEY}»</ProductKey>
      <ComputerName>PC-漢-😀</ComputerName>
    </component>
  </settings>
</unattend>
""".replace("\n", "\r\n")

# Two architectures in one file, one of them with the key in it already.
TWO = f"""<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="specialize">
    {component("x86")}
      <ProductKey>{KEY}</ProductKey>
    </component>
    {component("amd64", "Microsoft-Windows-IE-InternetExplorer")}
      <Home_Page>https://contoso.com</Home_Page>
    </component>
    {component("amd64")}
      <ComputerName>*</ComputerName>
«      <ProductKey>{KEY}</ProductKey>
»    </component>
  </settings>
</unattend>
"""

# Without the component: it is made, in the pass that is there.
NO_COMPONENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="specialize">
    {component("arm64", "Microsoft-Windows-Deployment")}
      <ExtendOSPartition><Extend>true</Extend></ExtendOSPartition>
    </component>
«    {component("arm64")}
      <ProductKey>{KEY}</ProductKey>
    </component>
»  </settings>
  <settings pass="oobeSystem">
    {component("arm64")}
      <OOBE><HideEULAPage>true</HideEULAPage></OOBE>
    </component>
  </settings>
</unattend>
"""

# Without the pass: it is made, for the image's architecture and not for that of Setup.
NO_PASS = f"""<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
   <settings pass="windowsPE">
      {component("x86", "Microsoft-Windows-International-Core-WinPE")}
         <UILanguage>de-DE</UILanguage>
      </component>
   </settings>
   <settings pass="oobeSystem">
      {component()}
         <OOBE><HideEULAPage>true</HideEULAPage></OOBE>
      </component>
   </settings>
«   <settings pass="specialize">
      {component()}
         <ProductKey>{KEY}</ProductKey>
      </component>
   </settings>
»</unattend>
"""

# Without a line ending anywhere, in UTF-16 with the most significant byte first.
ONE_LINE = (
    '<?xml version="1.0" encoding="UTF-16"?><unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize">'
    f"{component()}<ComputerName>*</ComputerName>«<ProductKey>{KEY}</ProductKey>»</component></settings></unattend>"
)

# A component that is one tag, in elements with a prefix.
PREFIX = f"""<u:unattend xmlns:u="urn:schemas-microsoft-com:unattend">
  <u:settings pass="specialize">
    <u:component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" {IDENTITY}⟦ /⟧>«
      <u:ProductKey>{KEY}</u:ProductKey>
    </u:component>»
  </u:settings>
</u:unattend>
"""

# As Setup leaves the copy in Panther, in a code page, with an empty setting and one that was put out.
PANTHER = f"""<?xml version="1.0" encoding="Windows-1252" standalone="yes"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="specialize" wasPassProcessed="true">
    {component()}
      <ProductKey>⟦*SENSITIVE*DATA*DELETED*⟧«{KEY}»</ProductKey>
      <RegisteredOwner>Grüße … 5 €</RegisteredOwner>
    </component>
    {component("x86")}
      <ProductKey⟦/⟧«>{KEY}</ProductKey»>
    </component>
  </settings>
</unattend>
"""

# With character references, blanks and a CDATA section around the key that is there.
CDATA = f"""<unattend xmlns="urn:schemas-microsoft-com:unattend">
<settings pass="specialize">
{component()}
<ProductKey>⟦
  <![CDATA[{OTHER[:6].lower()}]]>&#x32;7WPP-V4HQT-9VMD4-VMK7H
⟧«{KEY}»</ProductKey>
</component>
</settings>
</unattend>
"""

VARIANTS = {
    "Windows SIM": Variant(SIM, mark=codecs.BOM_UTF8),
    "by hand": Variant(BY_HAND),
    "another key, UTF-16": Variant(OTHER_KEY, "utf-16-le", codecs.BOM_UTF16_LE),
    "two architectures": Variant(TWO),
    "no component": Variant(NO_COMPONENT),
    "no pass": Variant(NO_PASS),
    "one line, UTF-16": Variant(ONE_LINE, "utf-16-be", codecs.BOM_UTF16_BE),
    "prefixes": Variant(PREFIX),
    "from Panther": Variant(PANTHER, "windows-1252"),
    "CDATA": Variant(CDATA),
}
